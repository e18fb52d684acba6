//! Keys that must never be read in a report, a log, a panel or an error text.
//! Must not know where they come from: the caller reads the environment.

use std::fmt;

use http::HeaderValue;

/// An API key. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Surrounding white space goes: a key read from a file often ends in a newline.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into().trim().to_owned())
    }

    /// The `authorization` header's value, marked sensitive; `None` if the key holds bytes no header may carry.
    pub(super) fn bearer(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The key as a header's value of its own, marked sensitive.
    pub(super) fn bare(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    pub(super) fn hide_in(&self, text: String) -> String {
        if self.0.is_empty() || !text.contains(&self.0) { text } else { text.replace(&self.0, "[key]") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown_and_is_hidden_in_any_text() {
        let key = Secret::new("sk-very-secret\n");
        assert!(!format!("{key:?} {key} {:?} {:?}", key.bearer(), key.bare()).contains("very"));
        assert_eq!(key.hide_in("wrong key sk-very-secret!".into()), "wrong key [key]!");
        assert_eq!(Secret::new("").hide_in("text".into()), "text");
    }
}
