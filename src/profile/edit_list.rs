//! Reorders a list in TOML text: items go, come and change places, each with the comments beside it. Must not know what
//! the items mean.

use toml_edit::{Array, ArrayOfTables, InlineTable, Item, Table, Value};

/// What a list shall hold at one place.
#[derive(Clone, Debug)]
pub enum Part {
    /// The item that stands there now, by its index.
    Kept(usize),
    New(Value),
}

/// Whether the list could be made to hold these parts.
pub fn rearrange(list: &mut Item, parts: &[Part]) -> bool {
    let len = list.as_array().map(Array::len).or_else(|| list.as_array_of_tables().map(ArrayOfTables::len));
    if parts.iter().any(|part| matches!(part, Part::Kept(i) if Some(*i) >= len)) {
        return false;
    }
    match list {
        Item::ArrayOfTables(tables) => rearrange_tables(tables, parts),
        Item::Value(Value::Array(array)) => {
            rearrange_array(array, parts);
            true
        }
        _ => false,
    }
}

fn rearrange_tables(tables: &mut ArrayOfTables, parts: &[Part]) -> bool {
    let before: Vec<Table> = tables.iter().cloned().collect();
    let table = |part: &Part| match part {
        Part::Kept(i) => Some(before[*i].clone()),
        Part::New(value) => value.as_inline_table().cloned().map(InlineTable::into_table),
    };
    let Some(after) = parts.iter().map(table).collect::<Option<Vec<_>>>() else { return false };
    tables.clear();
    for (at, mut table) in after.into_iter().enumerate() {
        if let Some(place) = before.get(at).or(before.last()) {
            // Tables are printed by their position, not by their order; and a blank line belongs to the place.
            table.set_position(place.position());
            let comments = prefix(&table).trim_start_matches(['\n', '\r']).to_owned();
            let blank = prefix(place);
            let blank = &blank[..blank.len() - blank.trim_start_matches(['\n', '\r']).len()];
            table.decor_mut().set_prefix(format!("{blank}{comments}"));
        }
        tables.push(table);
    }
    true
}

fn prefix(table: &Table) -> &str {
    table.decor().prefix().and_then(|raw| raw.as_str()).unwrap_or_default()
}

/// An item of an array with what is written around it.
#[derive(Clone, Default)]
struct Row {
    value: Option<Value>,
    /// Before it: its lines of comment and its indent.
    lead: String,
    /// After it on its line: a comment.
    tail: String,
}

/// An array taken apart so that each comment is with the item it stands beside.
struct Rows {
    rows: Vec<Row>,
    /// After the opening bracket, on its line.
    head: String,
    /// Before the closing bracket.
    end: String,
}

fn rearrange_array(array: &mut Array, parts: &[Part]) {
    let Rows { rows, head, end } = Rows::of(array);
    let after: Vec<Row> = parts
        .iter()
        .enumerate()
        .map(|(at, part)| {
            let place = rows.get(at).or(rows.last()).map_or("", |row| row.lead.as_str());
            match part {
                Part::New(value) => Row { value: Some(value.clone()), lead: indent(place), tail: String::new() },
                // A bare indent belongs to the place, comments to the item.
                Part::Kept(i) if !rows[*i].lead.contains('#') => Row { lead: indent(place), ..rows[*i].clone() },
                Part::Kept(i) => rows[*i].clone(),
            }
        })
        .collect();
    array.clear();
    let mut tail = head;
    for row in after {
        if let Some(mut value) = row.value {
            value.decor_mut().set_prefix(join(&tail, &row.lead));
            value.decor_mut().set_suffix("");
            array.push_formatted(value);
        }
        tail = row.tail;
    }
    array.set_trailing(join(&tail, &end));
}

impl Rows {
    fn of(array: &Array) -> Self {
        let text = |raw: Option<&toml_edit::RawString>| raw.and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
        let mut found = Self { rows: Vec::new(), head: String::new(), end: String::new() };
        for value in array {
            let before = text(value.decor().prefix());
            let lead = found.end_line(&before);
            // Without a comma after it, what follows the last item is the item's own.
            found.end = text(value.decor().suffix());
            found.rows.push(Row { value: Some(value.clone()), lead, tail: String::new() });
        }
        let after = std::mem::take(&mut found.end) + array.trailing().as_str().unwrap_or_default();
        found.end = found.end_line(&after);
        found
    }

    /// Gives the rest of its line to the item before; what is left belongs to what comes next.
    fn end_line(&mut self, between: &str) -> String {
        let (line, next) = between.split_at(between.find('\n').unwrap_or(0));
        match self.rows.last_mut() {
            Some(row) => line.clone_into(&mut row.tail),
            None => line.clone_into(&mut self.head),
        }
        next.to_owned()
    }
}

/// Of what stands before an item, its last line's indent and whether that is a line of its own.
fn indent(lead: &str) -> String {
    if !lead.contains('#') {
        return lead.to_owned();
    }
    lead.rfind('\n').map_or(String::new(), |at| lead[at..].to_owned())
}

/// A comment ends with its line.
fn join(comment: &str, next: &str) -> String {
    let end = if comment.contains('#') && !next.starts_with('\n') { "\n" } else { "" };
    format!("{comment}{end}{next}")
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::*;

    fn after(text: &str, parts: &[Part]) -> String {
        let mut document: DocumentMut = text.parse().unwrap();
        assert!(rearrange(document.get_mut("hops").unwrap(), parts));
        document.to_string()
    }

    use Part::{Kept, New};

    #[test]
    fn tables_change_places_with_their_comments_and_leave_blank_lines_where_they_are() {
        let text = "seed = 1\n\n# the first\n[[hops]]   # one\nm = 1\n# the second\n[[hops]]\nm = 2 # two\n\n[rest]\n";
        assert_eq!(
            after(text, &[Kept(1), Kept(0)]),
            "seed = 1\n\n# the second\n[[hops]]\nm = 2 # two\n# the first\n[[hops]]   # one\nm = 1\n\n[rest]\n"
        );
        assert_eq!(after(text, &[Kept(1)]), "seed = 1\n\n# the second\n[[hops]]\nm = 2 # two\n\n[rest]\n");
        assert_eq!(after(text, &[]), "seed = 1\n\n[rest]\n");
    }

    #[test]
    fn items_of_an_array_change_places_with_their_comments() {
        let text = "hops = [   # all\n    1, # one\n    # the second\n    2  # two\n]\n";
        assert_eq!(
            after(text, &[Kept(1), Kept(0)]),
            "hops = [   # all\n    # the second\n    2,  # two\n    1 # one\n]\n"
        );
        assert_eq!(after(text, &[Kept(1)]), "hops = [   # all\n    # the second\n    2  # two\n]\n");
        assert_eq!(after("hops = [1, 2, 3]", &[Kept(2), Kept(0)]), "hops = [3, 1]\n");
        assert_eq!(after("hops = [1]", &[Kept(0), New(9.into())]), "hops = [1,9]\n");
    }

    #[test]
    fn a_comment_never_swallows_the_item_that_comes_after_it() {
        let moved = after("hops = [1, 2 # two\n]", &[Kept(1), Kept(0)]);
        let read = moved.parse::<toml::Table>().unwrap();
        assert_eq!(read["hops"].as_array().unwrap().len(), 2, "{moved}");
    }

    #[test]
    fn what_the_text_does_not_hold_is_refused() {
        let mut document: DocumentMut = "hops = [1]\n".parse().unwrap();
        assert!(!rearrange(document.get_mut("hops").unwrap(), &[Kept(1)]));
    }
}
