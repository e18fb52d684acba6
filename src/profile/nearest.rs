//! "Did you mean": the nearest of the names there are.

/// The name most like `typed`, if any is like enough.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let score = |name: &str| {
        let name = name.to_lowercase();
        // Jaro-Winkler finds abbreviations and endings left off, edit distance finds slips of the finger.
        strsim::jaro_winkler(&typed, &name).max(strsim::normalized_damerau_levenshtein(&typed, &name))
    };
    let scored = names.into_iter().map(|name| (score(name), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// `"; did you mean \"x\"?"`, or what there is, or nothing.
pub fn suggestion(typed: &str, names: &[&str]) -> String {
    match nearest(typed, names.iter().copied()) {
        Some(name) => format!("; did you mean \"{name}\"?"),
        None if names.is_empty() => String::new(),
        None => format!("; there are {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        let names = ["attempts", "base", "factor", "max_connections"];
        assert_eq!(nearest("atempts", names), Some("attempts"));
        assert_eq!(nearest("max_conections", names), Some("max_connections"));
        assert_eq!(nearest("zebra", names), None);
    }
}
