//! How a route is spoken to: the dialects there are, what each cannot say, and whether prompts are to be cached.
//! Must not know how anything is said: that is `route::dialect`'s.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Chat completions: `POST {base_url}/chat/completions`.
    Openai,
    /// Messages: `POST {base_url}/messages`.
    Anthropic,
}

impl Dialect {
    pub const NAMES: [&str; 2] = ["openai", "anthropic"];

    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Whether `temperature` and `top_p` are said to this model. Claude models from Opus 4.7 and Sonnet 5 on answer 400
    /// to any but their own (platform.claude.com, migration guides).
    pub fn tells_sampling(self, model: &str) -> bool {
        self == Self::Openai || claude_version(model).is_none_or(|version| version < (4, 7))
    }

    /// The highest temperature it takes.
    pub fn hottest(self) -> f64 {
        match self {
            Self::Openai => 2.0,
            Self::Anthropic => 1.0,
        }
    }
}

/// Of `claude-opus-4-7`, `anthropic/claude-sonnet-5`, `claude-sonnet-4-20250514`. Older ones have the version before the
/// family (`claude-3-7-sonnet`): none.
fn claude_version(model: &str) -> Option<(u32, u32)> {
    let mut parts = model[model.find("claude-")? + "claude-".len()..].split(['-', '.', '@', ':']);
    parts.next().filter(|family| family.starts_with(|c: char| c.is_ascii_alphabetic()))?;
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().and_then(|minor| minor.parse().ok()).filter(|minor| *minor < 100);
    Some((major, minor.unwrap_or(0)))
}

/// Whether a route asks its provider to keep prompts in the provider's cache, and for how long.
/// Written as `false`, `true` (five minutes), `"5m"` or `"1h"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptCaching {
    #[default]
    Off,
    FiveMinutes,
    OneHour,
}

impl Serialize for PromptCaching {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => to.serialize_bool(false),
            Self::FiveMinutes => to.serialize_str("5m"),
            Self::OneHour => to.serialize_str("1h"),
        }
    }
}

impl<'de> Deserialize<'de> for PromptCaching {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = PromptCaching;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("true, false, \"5m\" or \"1h\"")
            }
            fn visit_bool<E: de::Error>(self, on: bool) -> Result<PromptCaching, E> {
                Ok(if on { PromptCaching::FiveMinutes } else { PromptCaching::Off })
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<PromptCaching, E> {
                match text {
                    "5m" => Ok(PromptCaching::FiveMinutes),
                    "1h" => Ok(PromptCaching::OneHour),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        from.deserialize_any(Form)
    }
}

impl JsonSchema for PromptCaching {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PromptCaching".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "boolean" }, { "type": "string", "enum": ["5m", "1h"] }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Draft, Loaded, Prices, ProfileError, Source};

    #[test]
    fn newer_claude_models_are_told_no_temperature_and_all_others_are() {
        for model in [
            "claude-opus-4-7",
            "claude-opus-4-8",
            "claude-sonnet-5",
            "claude-sonnet-5-5-20261001",
            "anthropic/claude-haiku-5-5",
            "claude-fable-5-1",
            "anthropic.claude-opus-5-v1:0",
        ] {
            assert!(!Dialect::Anthropic.tells_sampling(model), "{model}");
            assert!(Dialect::Openai.tells_sampling(model), "{model}");
        }
        for model in [
            "claude-sonnet-4-6",
            "claude-haiku-4-5",
            "claude-sonnet-4-20250514",
            "claude-3-7-sonnet-20250219",
            "claude-2.1",
            "deepseek-v4-pro",
            "kimi-k3",
            "claude-",
        ] {
            assert!(Dialect::Anthropic.tells_sampling(model), "{model}");
        }
    }

    fn loaded(text: &str) -> Result<Loaded, ProfileError> {
        Draft::from_text(Source::File("p.toml".into()), text.into()).finish(Prices::ANY)
    }

    const CLAUDE: &str = "[workload]\nmodel = \"claude-sonnet-4-6\"\n[routes.x]\ndialect = \"anthropic\"\n";

    #[test]
    fn a_route_speaks_what_is_written_else_what_its_preset_does() {
        let spoken =
            |route: &str| loaded(&format!("[routes.x]\n{route}")).unwrap().profile.routes["x"].dialect.unwrap();
        assert_eq!(spoken("base_url = \"https://h/v1\""), Dialect::Openai);
        assert_eq!(spoken("simulate = \"holysheep\""), Dialect::Openai);
        assert_eq!(spoken("simulate = \"anthropic-official\""), Dialect::Anthropic);
        assert_eq!(spoken("simulate = { preset = \"anthropic-official\", rtt = \"1ms\" }"), Dialect::Anthropic);
        assert_eq!(spoken("simulate = \"anthropic-official\"\ndialect = \"openai\""), Dialect::Openai);
    }

    #[test]
    fn a_prompt_cache_is_asked_for_in_anthropics_dialect_alone() {
        let asked = |value: &str| {
            loaded(&format!("{CLAUDE}simulate = \"local\"\nprompt_cache = {value}")).unwrap().profile.routes["x"]
                .prompt_cache
        };
        assert_eq!(asked("false"), PromptCaching::Off);
        assert_eq!([asked("true"), asked("\"5m\"")], [PromptCaching::FiveMinutes; 2]);
        assert_eq!(asked("\"1h\""), PromptCaching::OneHour);
        let refused = loaded(&format!("{CLAUDE}simulate = \"local\"\nprompt_cache = \"1d\"")).unwrap_err().to_string();
        assert_eq!(refused, "p.toml:6: routes.x.prompt_cache is \"1d\"; write \"5m\" or \"1h\" or true or false");
    }

    #[test]
    fn a_temperature_that_a_route_of_the_chain_does_not_take_is_refused() {
        let with = |model: &str, temperature: &str| {
            let workload = format!("[workload]\ntemperature = {temperature}\nmodel = \"{model}\"\n");
            loaded(&format!("{workload}[routes.x]\ndialect = \"anthropic\"\nsimulate = \"local\""))
        };
        let refused = with("claude-sonnet-4-6", "1.5").unwrap_err().to_string();
        assert!(
            refused.starts_with("p.toml:2: workload.temperature = 1.5 exceeds 1, the most that routes.x takes"),
            "{refused}"
        );
        assert!(with("claude-sonnet-4-6", "1.0").unwrap().warnings.is_empty());
        assert!(with("claude-sonnet-5-5", "0.0").unwrap().warnings.is_empty());
        let warnings = with("claude-sonnet-5-5", "1.5").unwrap().warnings;
        assert!(warnings[0].ends_with("is not sent to claude-sonnet-5-5, which takes none"), "{warnings:?}");
    }

    #[test]
    fn a_base_url_ends_with_the_version_in_either_dialect() {
        let refused = |url: &str| loaded(&format!("{CLAUDE}base_url = \"{url}\"")).unwrap_err().to_string();
        assert!(refused("https://api.anthropic.com/v1/messages").contains("ends in /messages, which is added to it"));
        assert!(refused("https://api.anthropic.com").contains("https://api.anthropic.com/v1"));
        loaded(&format!("{CLAUDE}base_url = \"https://api.anthropic.com/v1/\"")).unwrap();
    }

    #[test]
    fn what_a_prompt_file_asks_for_and_the_dialect_cannot_say_is_warned_about() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = "[{\"role\":\"user\",\"content\":\"seed\"}]\n\
                     {\"messages\":[],\"response_format\":{\"type\":\"json_object\"},\"top_p\":0.5}\n\
                     {\"messages\":[],\"seed\":null}\n";
        std::fs::write(file.path(), lines).unwrap();
        let text = format!(
            "{CLAUDE}simulate = \"local\"\n[workload.prompts]\nkind = \"file\"\npath = {:?}",
            file.path().display().to_string()
        );
        let warnings = loaded(&text).unwrap().warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("ask for response_format, which routes.x is not told"), "{warnings:?}");
        assert!(loaded(&text.replace("anthropic", "openai")).unwrap().warnings.is_empty());
    }

    #[test]
    fn a_dialect_is_named_as_profiles_write_it() {
        for dialect in [Dialect::Openai, Dialect::Anthropic] {
            assert_eq!(serde_json::to_value(dialect).unwrap(), dialect.name());
        }
    }
}
