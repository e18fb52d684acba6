//! What may stand where: walks a TOML document along the profile's JSON Schema and says, key by key, what does not fit.
//! Must not know the rules between values (`validate`). The schema is the one list of keys, so every table, inline or
//! not, is checked at its own line, which serde cannot do for forms it has to buffer.

use std::sync::LazyLock;

use serde_json::Value as Schema;
use toml::de::{DeInteger, DeTable, DeValue};

use super::nearest::nearest;
use super::problem::{KeyPath, Problem};
use super::units::{Money, duration};

static ROOT: LazyLock<Schema> = LazyLock::new(super::schema::schema);
static SECTIONS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let mut found = Vec::new();
    collect_sections(&ROOT, &KeyPath::default(), &mut found);
    found
});

/// Everything in the document that has no place in a profile.
pub fn check(document: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    walk_table(&ROOT, document, &KeyPath::default(), &mut problems);
    problems
}

/// Text that reads as another TOML value but stands where only text may: `--set stack.pool.http=1.1`.
pub fn takes_only_text(path: &KeyPath, value: &toml_edit::Value) -> bool {
    let Some(node) = node_at(path) else { return false };
    let forms = forms_of(node);
    let fits = |name: &str| forms.iter().any(|form| form.is(name));
    let fitting = match value {
        toml_edit::Value::Integer(_) => fits("integer") || fits("number"),
        toml_edit::Value::Float(_) => fits("number"),
        toml_edit::Value::Boolean(_) => fits("boolean"),
        toml_edit::Value::Datetime(_) => false,
        _ => return false,
    };
    !fitting && fits("string")
}

/// The dotted key that a bare name stands for (`users` is `load.users`), where it stands for one alone. Dotted keys, and
/// names of no key, are left as they are: what is wrong with them is said where they are set.
pub fn full_key(name: &str) -> Result<String, String> {
    let of = |(section, key): &(String, String)| {
        let table = section.strip_prefix('[')?.strip_suffix(']')?;
        let is_one = !table.starts_with('[') && !table.split('.').any(|key| key == "NAME" || key == "compare");
        (is_one && key == name).then(|| format!("{table}.{key}"))
    };
    let all: Vec<_> = SECTIONS.iter().filter_map(of).collect();
    match all.as_slice() {
        _ if name.contains('.') => Ok(name.to_owned()),
        [] => Ok(name.to_owned()),
        [only] => Ok(only.clone()),
        several => Err(format!("{name} may be {}; write the one you mean", several.join(" or "))),
    }
}

/// One of the forms a value may take, references resolved.
struct Form<'a> {
    /// The name of its definition, such as `Duration`.
    name: Option<&'a str>,
    node: &'a Schema,
}

impl Form<'_> {
    fn is(&self, kind: &str) -> bool {
        match &self.node["type"] {
            Schema::String(name) => name == kind,
            Schema::Array(names) => names.iter().any(|name| name == kind),
            _ => kind == "string" && self.node.get("enum").is_some(),
        }
    }

    fn words(&self) -> Option<Vec<&str>> {
        if let Some(word) = self.node["const"].as_str() {
            return Some(vec![word]);
        }
        self.node["enum"].as_array().map(|words| words.iter().filter_map(Schema::as_str).collect())
    }

    fn describe(&self) -> String {
        match self.name {
            Some("Duration") => return "a duration in quotes, such as \"30s\"".into(),
            Some("Money") => return "an amount in quotes, such as \"¥50\" or \"$5\"".into(),
            _ => {}
        }
        let keys = || {
            let required = self.node["required"].as_array().into_iter().flatten().filter_map(Schema::as_str);
            required.map(|key| format!("{key} = …")).collect::<Vec<_>>().join(", ")
        };
        match (self.words(), &self.node["type"]) {
            (Some(words), _) => one_of(&words),
            (_, Schema::String(kind)) => match kind.as_str() {
                "integer" => match (self.node["minimum"].as_i64(), self.node["maximum"].as_i64()) {
                    (Some(low), Some(high)) => format!("a whole number from {low} to {high}"),
                    _ => "a whole number".into(),
                },
                "number" => "a number".into(),
                "boolean" => "true or false".into(),
                "array" => "a list in [ ]".into(),
                "object" if keys().is_empty() => "a table".into(),
                "object" => format!("a table {{ {} }}", keys()),
                _ => "text in quotes".into(),
            },
            _ => "another value".into(),
        }
    }
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn forms_of(node: &Schema) -> Vec<Form<'_>> {
    fn collect<'a>(name: Option<&'a str>, node: &'a Schema, into: &mut Vec<Form<'a>>) {
        if let Some(name) = node["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            return collect(Some(name), &ROOT["$defs"][name], into);
        }
        match node.get("anyOf").or(node.get("oneOf")).and_then(Schema::as_array) {
            Some(forms) => forms.iter().for_each(|form| collect(None, form, into)),
            None => into.push(Form { name, node }),
        }
    }
    let mut forms = Vec::new();
    collect(None, node, &mut forms);
    forms
}

fn walk(node: &'static Schema, value: &DeValue<'_>, path: &KeyPath, problems: &mut Vec<Problem>) {
    let forms = forms_of(node);
    let of_kind = |kind: &str| forms.iter().any(|form| form.is(kind));
    if forms.iter().any(|form| form.node.get("type").is_none() && form.words().is_none()) {
        return; // any value
    }
    match value {
        DeValue::Table(table) if of_kind("object") => walk_forms(&forms, table, path, problems),
        DeValue::Array(items) if of_kind("array") => {
            let Some(of) = forms.iter().find(|form| form.is("array")).and_then(|form| form.node.get("items")) else {
                return;
            };
            items.iter().enumerate().for_each(|(i, item)| walk(of, item.get_ref(), &path.key(i), problems));
        }
        DeValue::String(text) if of_kind("string") => {
            problems.extend(check_text(&forms, text, path));
        }
        DeValue::Integer(number) if of_kind("integer") => problems.extend(check_integer(&forms, number, path)),
        DeValue::Integer(_) | DeValue::Float(_) if of_kind("number") => {}
        DeValue::Boolean(_) if of_kind("boolean") => {}
        _ => problems.push(misfit(node, &forms, value, path)),
    }
}

/// A table that may take several forms is told by its `kind`.
fn walk_forms(forms: &[Form<'static>], table: &DeTable<'_>, path: &KeyPath, problems: &mut Vec<Problem>) {
    let tables: Vec<_> = forms.iter().filter(|form| form.is("object")).collect();
    if let [only] = tables.as_slice() {
        return walk_table(only.node, table, path, problems);
    }
    let kind_of = |form: &&&Form<'static>| form.node["properties"]["kind"]["const"].as_str();
    let kinds: Vec<_> = tables.iter().filter_map(|form| kind_of(&form)).collect();
    let written = table.iter().find(|(key, _)| key.get_ref() == "kind").map(|(_, value)| value.get_ref());
    let Some(written) = written else {
        return problems.push(Problem::new(path.clone(), format!("{path} needs `kind`: {}", one_of(&kinds))));
    };
    let chosen = tables.iter().find(|form| kind_of(form) == written.as_str() && written.is_str());
    match chosen {
        Some(form) => walk_table(form.node, table, path, problems),
        None => {
            let path = path.key("kind");
            let hint = written.as_str().map(|typed| did_you_mean(typed, &kinds)).unwrap_or_default();
            let message = format!("{path} is {}; write {}{hint}", found(written, &path), one_of(&kinds));
            problems.push(Problem::new(path, message));
        }
    }
}

fn walk_table(node: &'static Schema, table: &DeTable<'_>, path: &KeyPath, problems: &mut Vec<Problem>) {
    for (key, value) in table {
        let at = path.key(key.get_ref());
        match (node["properties"].get(&**key.get_ref()), node.get("additionalProperties")) {
            (Some(of), _) => walk(of, value.get_ref(), &at, problems),
            (None, Some(of @ Schema::Object(_))) => walk(of, value.get_ref(), &at, problems),
            (None, Some(Schema::Bool(false))) => problems.push(unknown_key(node, key.get_ref(), path)),
            _ => {}
        }
    }
    let required = node["required"].as_array().into_iter().flatten().filter_map(Schema::as_str);
    let missing = required.filter(|name| !table.iter().any(|(key, _)| key.get_ref() == name));
    problems.extend(missing.map(|name| Problem::new(path.clone(), format!("{} needs `{name}`", path.section()))));
}

fn unknown_key(node: &'static Schema, key: &str, path: &KeyPath) -> Problem {
    let section = path.section();
    let here: Vec<_> = node["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let owners: Vec<_> = SECTIONS.iter().filter(|(_, name)| name == key).map(|(owner, _)| owner.as_str()).collect();
    let hint = match nearest(key, here.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        // Of another kind of the same table.
        None if owners.contains(&section.as_str()) => format!("there are {}", here.join(", ")),
        None if owners.is_empty() => {
            let near = nearest(key, SECTIONS.iter().map(|(_, name)| name.as_str()));
            match near.and_then(|near| SECTIONS.iter().find(|(_, name)| name == near)) {
                Some((owner, near)) => format!("did you mean `{near}` of {owner}?"),
                None => format!("there are {}", here.join(", ")),
            }
        }
        None => {
            let few = if here.len() <= 4 { format!("; here there are {}", here.join(", ")) } else { String::new() };
            format!("it belongs to {}{few}", owners[..owners.len().min(3)].join(" or "))
        }
    };
    let kind =
        node["properties"]["kind"]["const"].as_str().map(|kind| format!(" of kind \"{kind}\"")).unwrap_or_default();
    Problem::new(path.key(key), format!("unknown key `{key}` at {section}{kind}: {hint}"))
}

/// The keys a table of this kind takes.
pub fn keys_of_kind(table: &KeyPath, kind: &str) -> Option<Vec<&'static str>> {
    let forms = forms_of(node_at(table)?);
    let form = forms.iter().find(|form| form.node["properties"]["kind"]["const"] == kind)?;
    Some(form.node["properties"].as_object()?.keys().map(String::as_str).collect())
}

fn check_text(forms: &[Form<'_>], text: &str, path: &KeyPath) -> Option<Problem> {
    let mut words = Vec::new();
    for form in forms.iter().filter(|form| form.is("string")) {
        match (form.name, form.words()) {
            (Some("Duration"), _) => {
                return duration::parse(text).err().map(|why| Problem::new(path.clone(), format!("{path}: {why}")));
            }
            (Some("Money"), _) => {
                return Money::parse(text).err().map(|why| Problem::new(path.clone(), format!("{path}: {why}")));
            }
            (_, Some(some)) => words.extend(some),
            (_, None) => return None,
        }
    }
    if words.contains(&text) {
        return None;
    }
    let expected: Vec<_> = forms.iter().filter(|form| form.words().is_none()).map(Form::describe).collect();
    let or = expected.iter().map(|form| format!(" or {form}")).collect::<String>();
    let hint = did_you_mean(text, &words);
    Some(Problem::new(path.clone(), format!("{path} is \"{text}\"; write {}{or}{hint}", one_of(&words))))
}

fn did_you_mean(typed: &str, words: &[&str]) -> String {
    nearest(typed, words.iter().copied()).map(|word| format!(" (did you mean \"{word}\"?)")).unwrap_or_default()
}

fn check_integer(forms: &[Form<'_>], number: &DeInteger<'_>, path: &KeyPath) -> Option<Problem> {
    let form = forms.iter().find(|form| form.is("integer"))?;
    let digits: String = number.as_str().chars().filter(|c| *c != '_' && *c != '+').collect();
    let value = i128::from_str_radix(&digits, number.radix()).ok()?;
    let (low, high) = match form.node["format"].as_str() {
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        _ => (0, i64::MAX.into()),
    };
    let low = form.node["minimum"].as_i64().map_or(low, i128::from);
    let high = form.node["maximum"].as_i64().map_or(high, i128::from);
    let message = match value {
        _ if value < low => format!("{path} = {value} is below {low}; raise it"),
        _ if value > high => format!("{path} = {value} exceeds {high}; lower it"),
        _ => return None,
    };
    Some(Problem::new(path.clone(), message))
}

fn misfit(node: &Schema, forms: &[Form<'_>], value: &DeValue<'_>, path: &KeyPath) -> Problem {
    let expected: Vec<_> = forms.iter().map(Form::describe).collect();
    let example = match &node["default"] {
        Schema::Number(number) => format!(", such as {number}"),
        Schema::String(text) if !text.is_empty() && !expected.iter().any(|form| form.contains("such as")) => {
            format!(", such as \"{text}\"")
        }
        _ => String::new(),
    };
    Problem::new(path.clone(), format!("{path} is {}; write {}{example}", found(value, path), expected.join(" or ")))
}

fn found(value: &DeValue<'_>, path: &KeyPath) -> String {
    match value {
        DeValue::String(_) if path.is_secret() => "text".into(),
        DeValue::String(text) => format!("the text \"{text}\""),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

fn node_at(path: &KeyPath) -> Option<&'static Schema> {
    path.keys().iter().try_fold(&*ROOT, |node, key| {
        forms_of(node).into_iter().find_map(|form| {
            let property = form.node["properties"].get(key);
            let any = form.node.get("additionalProperties").filter(|of| of.is_object());
            property.or(any).or(form.node.get("items"))
        })
    })
}

/// Every key there is, with the section it belongs to.
fn collect_sections(node: &'static Schema, path: &KeyPath, found: &mut Vec<(String, String)>) {
    for form in forms_of(node) {
        for (key, of) in form.node["properties"].as_object().into_iter().flatten() {
            let entry = (path.section(), key.clone());
            if !found.contains(&entry) {
                found.push(entry);
            }
            collect_sections(of, &path.key(key), found);
        }
        if let Some(of) = form.node.get("additionalProperties").filter(|of| of.is_object()) {
            collect_sections(of, &path.key("NAME"), found);
        }
        if let Some(of) = form.node.get("items") {
            collect_sections(of, &path.key(0), found);
        }
    }
}

/// Whether a table here is one value, none of whose keys can be left out: `{ median = 220, p95 = 900 }`.
pub fn is_one_value(path: &KeyPath) -> bool {
    let count = |part: &Schema| part.as_array().map(Vec::len).or_else(|| part.as_object().map(|keys| keys.len()));
    let whole = |form: &Form<'_>| {
        let keys = count(&form.node["properties"]);
        form.is("object") && keys.is_some_and(|keys| keys > 0) && keys == count(&form.node["required"])
    };
    node_at(path).is_some_and(|node| forms_of(node).iter().any(whole))
}

/// Whether a list stands here.
pub fn is_list(path: &KeyPath) -> bool {
    node_at(path).is_some_and(|node| forms_of(node).iter().any(|form| form.is("array")))
}
