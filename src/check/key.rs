//! What a look at an API key tells before it is sent. Plain functions of its text, of which none is repeated beyond the
//! prefix that a vendor gives all its keys.
//! Must not know where the key is sent.

use super::finding::Note;

/// Hosts whose keys are known by how they begin. A subdomain is its host's.
const VENDORS: [(&str, &str); 11] = [
    ("api.openai.com", "sk-"),
    ("api.anthropic.com", "sk-ant-"),
    ("openrouter.ai", "sk-or-"),
    ("api.deepseek.com", "sk-"),
    ("api.moonshot.cn", "sk-"),
    ("dashscope.aliyuncs.com", "sk-"),
    ("api.groq.com", "gsk_"),
    ("api.x.ai", "xai-"),
    ("api.perplexity.ai", "pplx-"),
    ("integrate.api.nvidia.com", "nvapi-"),
    ("api.cerebras.ai", "csk-"),
];

/// Where a route's key is read from, and which setting says so.
pub struct Named<'a> {
    pub variable: Option<&'a str>,
    /// `routes.NAME.api_key_env` or `--api-key-env`.
    pub setting: &'a str,
}

/// `value`: of the variable; `None` when it is not set or no text.
pub fn judge(named: &Named<'_>, value: Option<&str>, host: &str) -> Vec<Note> {
    let Some(variable) = named.variable else { return vec![no_key(named.setting, host)] };
    let Some(value) = value else {
        return vec![Note::bad_input(format!("{variable} is not set"), exported(variable))];
    };
    let key = value.trim();
    if key.is_empty() {
        return vec![Note::bad_input(format!("{variable} is set, but empty"), exported(variable))];
    }
    if key.contains(char::is_control) {
        let detail = format!("{variable} holds a line break or another character that no header can carry");
        return vec![Note::bad_input(detail, format!("export {variable}=… with the key alone, on one line"))];
    }
    let doubts = doubts(variable, value, host);
    if doubts.is_empty() {
        let prefix = prefix_of(key).map(|prefix| format!(" ({prefix}…)")).unwrap_or_default();
        return vec![Note::ok(format!("{variable} is set{prefix}"))];
    }
    doubts
}

fn no_key(setting: &str, host: &str) -> Note {
    match vendor(host) {
        Some(_) => Note::warn(
            format!("none is sent, and {host} wants one"),
            format!("put the key into an environment variable and name it: {setting} = \"…\""),
        ),
        None => Note::ok("none is sent"),
    }
}

fn exported(variable: &str) -> String {
    format!("export {variable}=… with the key in it")
}

fn doubts(variable: &str, value: &str, host: &str) -> Vec<Note> {
    let mut doubts = Vec::new();
    let mut doubt = |detail: String, mend: &str| {
        doubts.push(Note::warn(format!("{variable} {detail}"), format!("export {variable}=… {mend}")));
    };
    let key = value.trim();
    if key.len() < value.len() {
        let detail = "has white space or a line break around the key; gatebench leaves it out, others send it";
        doubt(detail.into(), "without it");
    }
    const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];
    let bare = key.trim_matches(QUOTES);
    if bare.len() < key.len() {
        doubt("has quotes in it, which are sent with the key".into(), "without quotes inside the value");
    }
    if bare.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("bearer")) {
        let detail = "begins with \"Bearer\", which is added to it: the server sees \"Bearer Bearer …\"";
        doubt(detail.into(), "with the key alone");
    } else {
        if bare.contains(char::is_whitespace) {
            doubt("has white space inside the key".into(), "with the key alone");
        }
        if !bare.is_ascii() {
            doubt(
                "has characters in it that no key has, such as full-width ones".into(),
                "with the key alone, in ASCII",
            );
        }
        if let Some(detail) = foreign(bare, host) {
            doubt(detail, "with a key of this provider, or mend base_url");
        }
    }
    doubts
}

/// A key that begins as none of this host's do.
fn foreign(key: &str, host: &str) -> Option<String> {
    let expected = vendor(host)?;
    match prefix_of(key) {
        // `sk-ant-…` begins with `sk-` too, and is Anthropic's.
        Some(prefix) if prefix != expected => {
            Some(format!("begins with {prefix}, and keys of {host} begin with {expected}"))
        }
        Some(_) => None,
        None => Some(format!("does not begin with {expected}, as keys of {host} do")),
    }
}

fn vendor(host: &str) -> Option<&'static str> {
    let is_of = |name: &str| host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    VENDORS.iter().find(|(name, _)| is_of(name)).map(|(_, prefix)| *prefix)
}

/// The longest known one.
fn prefix_of(key: &str) -> Option<&'static str> {
    let known = VENDORS.iter().map(|(_, prefix)| *prefix).filter(|prefix| key.starts_with(prefix));
    known.max_by_key(|prefix| prefix.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::{Finding, Status, Step};

    const BODY: &str = "Q7zX9";

    fn found(value: Option<&str>, host: &str) -> Vec<Finding> {
        let named = Named { variable: Some("A_KEY"), setting: "routes.r.api_key_env" };
        let found: Vec<_> = judge(&named, value, host).into_iter().map(|note| note.of("routes.r", Step::Key)).collect();
        assert!(found.iter().all(|finding| !format!("{finding:?}").contains(BODY)), "{found:?}");
        found
    }

    #[track_caller]
    fn says(value: &str, host: &str, status: Status, word: &str) {
        let found = found(Some(value), host);
        assert!(found.len() == 1 && found[0].status == status && found[0].detail.contains(word), "{found:?}");
    }

    #[test]
    fn a_key_as_it_should_be_is_shown_by_its_vendors_prefix_alone() {
        says(&format!("sk-{BODY}"), "api.openai.com", Status::Ok, "A_KEY is set (sk-…)");
        says(&format!("sk-ant-{BODY}"), "api.anthropic.com", Status::Ok, "(sk-ant-…)");
        says(BODY, "gateway.example.com", Status::Ok, "A_KEY is set");
    }

    #[test]
    fn what_cannot_be_sent_is_bad_input() {
        for value in [None, Some(""), Some(" \n"), Some("Q7z\nX9")] {
            let found = found(value, "api.openai.com");
            assert_eq!(crate::check::finding::exit_code(&found), 2, "{value:?}: {found:?}");
        }
    }

    #[test]
    fn what_came_along_with_the_key_is_spotted() {
        for (value, word) in [
            (format!("sk-{BODY}\n"), "white space or a line break around"),
            (format!(" sk-{BODY}"), "white space or a line break around"),
            (format!("\"sk-{BODY}\""), "quotes"),
            (format!("“sk-{BODY}”"), "quotes"),
            (format!("Bearer sk-{BODY}"), "Bearer Bearer"),
            (format!("bearer sk-{BODY}"), "Bearer Bearer"),
            (format!("sk-{BODY} # mine"), "white space inside"),
            (format!("sk-{BODY}，"), "full-width"),
        ] {
            says(&value, "api.openai.com", Status::Warn, word);
        }
        assert_eq!(found(Some(&format!(" 'sk-{BODY}'")), "api.openai.com").len(), 2, "each is said");
    }

    #[test]
    fn a_key_of_another_vendor_is_spotted_where_the_host_is_known() {
        says(&format!("sk-ant-{BODY}"), "api.openai.com", Status::Warn, "begins with sk-ant-");
        says(&format!("sk-{BODY}"), "api.anthropic.com", Status::Warn, "begins with sk-, and keys of");
        says(BODY, "eu.api.openai.com", Status::Warn, "does not begin with sk-");
        says(&format!("sk-ant-{BODY}"), "notapi.openai.com.example", Status::Ok, "is set");
        says(&format!("sk-ant-{BODY}"), "xapi.openai.com", Status::Ok, "is set");
    }

    #[test]
    fn no_key_is_in_doubt_only_where_one_is_wanted() {
        let named = Named { variable: None, setting: "--api-key-env" };
        let status = |host| judge(&named, None, host).remove(0).of("routes.r", Step::Key).status;
        assert_eq!((status("127.0.0.1"), status("api.openai.com")), (Status::Ok, Status::Warn));
    }
}
