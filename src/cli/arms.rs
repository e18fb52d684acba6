//! `--arm 'name: key=value, key=value'` -> an arm of `[compare]`.

use toml_edit::{InlineTable, Value};

use super::Failure;
use crate::profile::Override;

/// The profile as it is, which a lone arm is held against.
const BASE: &str = "base";

/// Each arm appended to `compare.arms`, which has none yet.
pub fn overrides(texts: &[String]) -> Result<Vec<Override>, Failure> {
    if let [text] = texts
        && text.split_once(':').is_some_and(|(name, _)| name.trim() == BASE)
    {
        return Err(Failure::bad_input(format!(
            "--arm '{text}': a lone arm is held against the profile as it is, which is called \"{BASE}\"; give it another \
             name, or write both arms"
        )));
    }
    let base = InlineTable::from_iter([("name", Value::from(BASE)), ("set", InlineTable::new().into())]);
    let base = (texts.len() == 1).then(|| Override::flag("--arm", "compare.arms.+", base));
    base.map(Ok).into_iter().chain(texts.iter().map(|text| arm(text))).collect()
}

fn arm(text: &str) -> Result<Override, Failure> {
    let wrong = |why: String| Failure::bad_input(format!("--arm '{text}': {why}"));
    let form =
        || wrong("write NAME: KEY=VALUE, KEY=VALUE, such as --arm 'large: stack.pool.max_connections=64'".into());
    let (name, keys) = text.split_once(':').ok_or_else(form)?;
    // `stack.cache.redis.url=redis://h` has a colon of its own.
    let name = Some(name.trim()).filter(|name| !name.is_empty() && !name.contains('=')).ok_or_else(form)?;
    let mut set = InlineTable::new();
    let mut is_secret = false;
    for key in values_of(keys).iter().filter(|key| !key.is_empty()) {
        let over = Override::set(key).map_err(|_| form())?;
        is_secret |= over.path.is_secret();
        set.insert(over.path.to_string(), over.value);
    }
    let arm = InlineTable::from_iter([("name", Value::from(name)), ("set", Value::InlineTable(set))]);
    let typed = if is_secret { format!("--arm '{name}: …'") } else { format!("--arm '{text}'") };
    Ok(Override::flag(typed, "compare.arms.+", arm))
}

/// Splits at commas outside of brackets, braces and quotes: `1,2` are two values, `[1,2]` is one.
pub fn values_of(text: &str) -> Vec<String> {
    let (mut values, mut depth, mut quoted) = (vec![String::new()], 0, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                values.push(String::new());
                continue;
            }
            _ => {}
        }
        values.last_mut().expect("never empty").push(c);
    }
    values.into_iter().map(|value| value.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_at_commas_but_lists_and_text_are_not() {
        assert_eq!(values_of("2,4, 8"), ["2", "4", "8"]);
        assert_eq!(values_of("[1,2],[3]"), ["[1,2]", "[3]"]);
        assert_eq!(values_of("\"a,b\""), ["\"a,b\""]);
    }

    #[test]
    fn an_arm_has_a_name_and_keys() {
        let all = overrides(&["big: stack.pool.max_connections=64, expect=[\"p99 < 1s\"]".into()]).unwrap();
        let texts: Vec<_> = all.iter().map(|over| over.value.to_string()).collect();
        assert_eq!(texts[0], "{ name = \"base\", set = {} }");
        assert!(texts[1].contains("\"big\"") && texts[1].contains("max_connections\" = 64"), "{texts:?}");
        assert_eq!(overrides(&["a:".into(), "b: seed=3".into()]).unwrap().len(), 2);
        for wrong in ["big", ": seed=1", "seed=1", "a: seed"] {
            let failure = overrides(&[wrong.into()]).unwrap_err();
            assert!(failure.text().contains("write NAME: KEY=VALUE"), "{}", failure.text());
        }
    }

    #[test]
    fn a_lone_arm_may_not_have_the_name_of_what_it_is_held_against() {
        let failure = overrides(&["base: seed=3".into()]).unwrap_err();
        assert!(failure.text().contains("give it another name"), "{}", failure.text());
        assert!(overrides(&["base:".into(), "other: seed=3".into()]).is_ok());
    }

    #[test]
    fn a_value_that_may_be_secret_is_not_repeated() {
        let all = overrides(&["a: routes.x.headers.x-api-key=s3cret".into()]).unwrap();
        assert!(!all[1].typed.contains("s3cret"), "{}", all[1].typed);
    }
}
