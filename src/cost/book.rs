//! List prices by model and currency, each with its source and date.
//! Must not know routes, rates or ledgers.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::profile::Price;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    Usd,
    Cny,
}

/// A list price per million tokens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPrice {
    pub currency: Currency,
    pub input: f64,
    /// Without it cached tokens cost `input`.
    pub cached_input: Option<f64>,
    pub output: f64,
    /// For tokens written to the provider's prompt cache; without it they cost `input`.
    pub cache_write: Option<f64>,
    pub batch_input: Option<f64>,
    pub batch_output: Option<f64>,
    /// When it stood at its source: `2026-11-22`, `2026-10` or `2026`; absent if unknown.
    pub date: Option<String>,
    pub source: String,
    pub note: Option<String>,
}

impl ListPrice {
    /// The price of cached input tokens.
    pub fn cached(&self) -> f64 {
        self.cached_input.unwrap_or(self.input)
    }

    /// The price of input tokens written to the prompt cache, for five minutes.
    pub fn written(&self) -> f64 {
        self.cache_write.unwrap_or(self.input)
    }

    /// The same for an hour. Only Anthropic sells that, at twice the input price (platform.claude.com, pricing).
    pub fn written_1h(&self) -> f64 {
        self.cache_write.map_or(self.input, |_| 2.0 * self.input)
    }
}

/// A model and what it costs, per currency.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPrices {
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    pub provider: String,
    /// When its provider turns it off.
    pub deprecated: Option<String>,
    pub prices: Vec<ListPrice>,
}

impl ModelPrices {
    pub fn in_currency(&self, currency: Currency) -> Option<&ListPrice> {
        self.prices.iter().find(|price| price.currency == currency)
    }

    /// The price that bills are made of: the USD one, and only without it the RMB one.
    pub fn list(&self) -> Option<&ListPrice> {
        self.in_currency(Currency::Usd).or_else(|| self.in_currency(Currency::Cny))
    }
}

/// Models by name, whatever the case of its letters.
#[derive(Clone, Debug)]
pub struct PriceBook {
    models: Vec<ModelPrices>,
    /// Names and aliases in lower case.
    index: HashMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BookFile {
    model: Vec<ModelPrices>,
}

impl PriceBook {
    /// The book that is built in.
    pub fn builtin() -> &'static Self {
        static BOOK: OnceLock<PriceBook> = OnceLock::new();
        BOOK.get_or_init(|| {
            let file: BookFile = toml::from_str(include_str!("book.toml")).expect("a test parses the built-in book");
            Self::of(file.model)
        })
    }

    fn of(models: Vec<ModelPrices>) -> Self {
        let names = |model: &ModelPrices| [&model.name].into_iter().chain(&model.aliases).cloned().collect::<Vec<_>>();
        let index = models
            .iter()
            .enumerate()
            .flat_map(|(at, model)| names(model).into_iter().map(move |name| (name.to_lowercase(), at)))
            .collect();
        Self { models, index }
    }

    /// This book with a profile's own prices, which replace those of a model with the same name.
    pub fn with(&self, prices: &BTreeMap<String, Price>) -> Self {
        let mut book = self.clone();
        for (name, price) in prices {
            let priced = ModelPrices {
                name: name.clone(),
                aliases: Vec::new(),
                provider: String::new(),
                deprecated: None,
                prices: vec![own_price(price)],
            };
            match book.index.get(&name.to_lowercase()) {
                Some(&at) => book.models[at] = priced,
                None => {
                    book.index.insert(name.to_lowercase(), book.models.len());
                    book.models.push(priced);
                }
            }
        }
        book
    }

    /// The model as a route may name it: with a provider's prefix (`openai/gpt-4.1`), with a date
    /// (`gpt-4.1-2025-04-14`), or both. The name as written wins over one made shorter.
    pub fn model(&self, name: &str) -> Option<&ModelPrices> {
        let name = name.to_lowercase();
        let bare = name.rsplit('/').next().unwrap_or(&name);
        [&name, without_date(&name), bare, without_date(bare)]
            .into_iter()
            .find_map(|name| self.index.get(name))
            .map(|&at| &self.models[at])
    }

    pub fn has_price(&self, model: &str) -> bool {
        self.model(model).is_some_and(|model| model.list().is_some())
    }

    /// All models, without their aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.models.iter().map(|model| model.name.as_str())
    }

    /// The newest date in the book.
    pub fn prices_as_of(&self) -> Option<&str> {
        self.models.iter().flat_map(|model| &model.prices).filter_map(|price| price.date.as_deref()).max()
    }
}

fn own_price(price: &Price) -> ListPrice {
    ListPrice {
        currency: Currency::Usd,
        input: price.input,
        cached_input: price.cached_input,
        output: price.output,
        cache_write: price.cache_write,
        batch_input: None,
        batch_output: None,
        date: None,
        source: "profile".to_owned(),
        note: None,
    }
}

/// Cuts `-2025-04-14`, `-20250414` or `-250414` off the end.
fn without_date(name: &str) -> &str {
    const FORMS: [&str; 3] = ["-####-##-##", "-########", "-######"];
    let ends_like = |form: &str| {
        let tail = name.len().checked_sub(form.len()).and_then(|at| name.get(at..));
        tail.is_some_and(|tail| {
            tail.bytes().zip(form.bytes()).all(|(b, f)| if f == b'#' { b.is_ascii_digit() } else { b == f })
        })
    };
    FORMS.iter().find(|form| ends_like(form)).map_or(name, |form| &name[..name.len() - form.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(name: &str) -> (f64, f64, f64) {
        let price = PriceBook::builtin().model(name).unwrap().in_currency(Currency::Usd).unwrap();
        (price.input, price.cached(), price.output)
    }

    #[test]
    fn every_price_of_the_built_in_book_is_sane_and_says_where_it_is_from() {
        let book = PriceBook::builtin();
        assert!(book.models.len() >= 60);
        for model in &book.models {
            assert!(!model.prices.is_empty(), "{}", model.name);
            for price in &model.prices {
                assert!(!price.source.is_empty(), "{}", model.name);
                assert!(price.input > 0.0 && price.output >= price.input, "{}", model.name);
                assert!(price.cached() <= price.input, "{}", model.name);
                // 0.0 in LiteLLM's list means that writing costs nothing on top of the input: left out here.
                assert!(price.written() >= price.input, "{}", model.name);
            }
        }
    }

    #[test]
    fn no_two_models_share_a_name_or_an_alias() {
        let book = PriceBook::builtin();
        let names: usize = book.models.iter().map(|model| 1 + model.aliases.len()).sum();
        assert_eq!(book.index.len(), names);
    }

    #[test]
    fn a_model_is_found_with_a_prefix_a_date_and_in_any_case() {
        let gpt = (2.0, 0.5, 8.0);
        for name in ["gpt-4.1", "GPT-4.1", "openai/gpt-4.1", "gpt-4.1-2025-04-14", "openrouter/openai/gpt-4.1-20250414"]
        {
            assert_eq!(usd(name), gpt, "{name}");
        }
        assert_eq!(usd("deepseek/deepseek-v3.2"), usd("deepseek-v3.2"));
        assert_eq!(usd("minimax-m3"), (0.3, 0.06, 1.2));
        assert_eq!(usd("doubao-seed-2.1-pro"), usd("volcengine/doubao-seed-2-1-pro-260915"));
        assert_eq!(usd("claude-haiku-4-5-20251001"), (1.0, 0.1, 5.0));
    }

    #[test]
    fn a_name_that_only_begins_or_ends_like_a_model_is_unknown() {
        for name in ["gpt-4.1-turbo", "gpt-4", "my-gpt-4.1", "gpt-4.1-2025", "", "/", "模型-20250414"] {
            assert!(!PriceBook::builtin().has_price(name), "{name}");
        }
    }

    #[test]
    fn rmb_prices_stand_beside_the_usd_ones_and_peak_beside_off_peak() {
        let book = PriceBook::builtin();
        let output = |name, currency| book.model(name).unwrap().in_currency(currency).unwrap().output;
        assert_eq!(output("deepseek-flash", Currency::Usd), 1.2);
        assert_eq!(output("deepseek-flash", Currency::Cny), 8.0);
        assert_eq!(output("deepseek-flash@off-peak", Currency::Usd), 0.6);
        assert_eq!(output("deepseek-flash@off-peak", Currency::Cny), 4.0);
        assert_eq!(book.model("qwen3-max").unwrap().list().unwrap().currency, Currency::Cny);
        assert_eq!(book.model("kimi-k3").unwrap().list().unwrap().currency, Currency::Usd);
    }

    #[test]
    fn a_price_of_the_profile_replaces_the_built_in_one_under_each_of_its_names() {
        let own = Price { input: 1.0, cached_input: None, cache_write: None, output: 4.0 };
        let book = PriceBook::builtin().with(&BTreeMap::from([("deepseek-v3.2".into(), own), ("mine".into(), own)]));
        for name in ["deepseek-v3.2", "deepseek/deepseek-v3.2", "mine", "Mine"] {
            let price = book.model(name).unwrap().list().unwrap();
            assert_eq!((price.input, price.cached(), price.output), (1.0, 1.0, 4.0), "{name}");
        }
        assert_eq!(book.names().filter(|name| *name == "deepseek-v3.2").count(), 1);
    }

    #[test]
    fn the_book_says_how_new_it_is() {
        assert_eq!(PriceBook::builtin().prices_as_of(), Some("2026-11-22"));
    }
}
