//! Sets and removes keys in TOML text, keeping its comments. Must not know which keys make sense.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::problem::KeyPath;
use super::shape;

/// Puts the value at the path, making what is absent on the way; a key `+` appends to a list. Returns the path as it
/// came to be, with `+` resolved.
pub fn set(document: &mut DocumentMut, path: &KeyPath, value: &Value) -> Result<KeyPath, String> {
    put(document.as_item_mut(), path.keys(), value, KeyPath::default())
}

fn put(item: &mut Item, keys: &[String], value: &Value, at: KeyPath) -> Result<KeyPath, String> {
    let Some((key, rest)) = keys.split_first() else {
        replace(item, value);
        return Ok(at);
    };
    make_room(item, &at);
    if let Some(tables) = item.as_array_of_tables_mut() {
        let i = index(key, tables.len(), &at)?;
        if i == tables.len() {
            tables.push(Table::new());
        }
        let table = tables.get_mut(i).ok_or_else(|| format!("{at} has no item {i}"))?;
        let mut inner = Item::Table(std::mem::take(table));
        let done = put(&mut inner, rest, value, at.key(i))?;
        *table = inner.into_table().map_err(|_| format!("{at}.{i} is a table; write {{ key = value }}"))?;
        return Ok(done);
    }
    if let Some(array) = item.as_array_mut() {
        let i = index(key, array.len(), &at)?;
        let mut inner = array.get(i).cloned().map_or(Item::None, Item::Value);
        let done = put(&mut inner, rest, value, at.key(i))?;
        let inner = inner.into_value().map_err(|_| format!("{at}.{i} takes a value"))?;
        if i == array.len() {
            array.push(inner);
        } else {
            array.replace_formatted(i, inner);
        }
        return Ok(done);
    }
    let inside_a_value = item.is_value();
    let Some(table) = item.as_table_like_mut() else {
        return Err(format!("{at} is a single value and has no `{key}`; set {at} itself"));
    };
    if let ("kind", Some(kind)) = (key.as_str(), value.as_str())
        && let Some(kept) = shape::keys_of_kind(&at, kind)
    {
        // What another kind took has no meaning in this one.
        let dropped: Vec<_> =
            table.iter().map(|(key, _)| key.to_owned()).filter(|key| !kept.contains(&&**key)).collect();
        dropped.iter().for_each(|key| drop(table.remove(key)));
    }
    if let Some(inner) = table.get_mut(key) {
        return put(inner, rest, value, at.key(key));
    }
    let mut inner = Item::None;
    let done = put(&mut inner, rest, value, at.key(key))?;
    // A table made on the way stands as a header of its own, unless it is inside a value.
    if inside_a_value && let Ok(value) = inner.clone().into_value() {
        inner = Item::Value(value);
    }
    table.insert(key, inner);
    Ok(done)
}

/// Turns nothing, or a short form, into a table or list that can hold a key.
fn make_room(item: &mut Item, at: &KeyPath) {
    match (item.as_str(), at.keys().last().map(String::as_str)) {
        (Some(preset), Some("simulate")) => {
            let mut table = InlineTable::new();
            table.insert("preset", preset.into());
            replace(item, &Value::InlineTable(table));
        }
        (None, Some("prompts")) if item.is_none() => {
            let mut table = InlineTable::new();
            table.insert("kind", "zipf".into());
            *item = Item::Value(Value::InlineTable(table));
        }
        (None, _) if item.is_none() && shape::is_list(at) => *item = Item::Value(Value::Array(Array::new())),
        (None, _) if item.is_none() => *item = Item::Table(Table::new()),
        _ => {}
    }
}

fn index(key: &str, len: usize, at: &KeyPath) -> Result<usize, String> {
    if key == "+" {
        return Ok(len);
    }
    let wrong = || format!("{at} is a list of {len}; name an item by its index, such as {at}.0, or {at}.+ to add one");
    key.parse().ok().filter(|i| *i <= len).ok_or_else(wrong)
}

fn replace(item: &mut Item, value: &Value) {
    let decor = item.as_value().map(|old| old.decor().clone());
    let mut value = value.clone();
    if let Some(decor) = decor {
        *value.decor_mut() = decor;
    }
    *item = Item::Value(value);
}

/// Takes a key out, if it is there.
pub fn remove(document: &mut DocumentMut, path: &KeyPath) {
    if let Some((table, key)) = holder(document, path) {
        table.remove(key);
    }
}

/// What stands at a key, on a way of tables alone.
pub fn find<'a>(document: &'a mut DocumentMut, path: &KeyPath) -> Option<&'a mut Item> {
    let (table, key) = holder(document, path)?;
    table.get_mut(key)
}

/// The table that holds a path's last key, and that key.
fn holder<'a, 'p>(document: &'a mut DocumentMut, path: &'p KeyPath) -> Option<(&'a mut dyn TableLike, &'p str)> {
    let (last, parents) = path.keys().split_last()?;
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for key in parents {
        table = table.get_mut(key)?.as_table_like_mut()?;
    }
    Some((table, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, key: &str, value: &str) -> String {
        let mut document: DocumentMut = text.parse().unwrap();
        let value = value.parse().unwrap_or_else(|_| Value::from(value));
        set(&mut document, &KeyPath::parse(key).unwrap(), &value).unwrap();
        document.to_string()
    }

    #[test]
    fn a_value_is_replaced_and_its_comment_kept() {
        assert_eq!(after("[load]\nrate = 5 # calls\n", "load.rate", "7"), "[load]\nrate = 7 # calls\n");
    }

    #[test]
    fn absent_tables_are_made_on_the_way() {
        let text = after("seed = 1\n", "stack.pool.max_idle", "0");
        assert_eq!(text.parse::<toml::Table>().unwrap()["stack"]["pool"]["max_idle"].as_integer(), Some(0));
    }

    #[test]
    fn items_of_both_kinds_of_list_are_reached_by_index_and_appended_by_plus() {
        let hops = "[[stack.fallback]]\nmodel = \"a\"\n";
        assert!(after(hops, "stack.fallback.0.model", "b").contains("model = \"b\""));
        assert_eq!(after(hops, "stack.fallback.+.model", "c").matches("[[stack.fallback]]").count(), 2);
        assert_eq!(after("expect = [\"a\"]\n", "expect.+", "b"), "expect = [\"a\", \"b\"]\n");
        assert!(
            after("", "stack.fallback.0.model", "c").parse::<toml::Table>().unwrap()["stack"]["fallback"].is_array()
        );
    }

    #[test]
    fn a_short_form_grows_into_the_table_it_stands_for() {
        let text = after("[routes.a]\nsimulate = \"holysheep\"\n", "routes.a.simulate.rtt", "20ms");
        let route = text.parse::<toml::Table>().unwrap()["routes"]["a"]["simulate"].clone();
        assert_eq!((route["preset"].as_str(), route["rtt"].as_str()), (Some("holysheep"), Some("20ms")));
        let text = after("[routes.a]\nsimulate = \"local\" # near\n", "routes.a.simulate.rtt", "20ms");
        assert!(text.ends_with("rtt = \"20ms\" } # near\n"), "{text}");
        let text = after("", "workload.prompts.distinct", "9");
        assert_eq!(text.parse::<toml::Table>().unwrap()["workload"]["prompts"]["kind"].as_str(), Some("zipf"));
    }
}
