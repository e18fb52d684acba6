//! The expected reading of a stream, and what differs from it.

use std::fmt::Debug;
use std::path::Path;

use gatebench::profile::Dialect;
use gatebench::route::{Failure, Reply};
use serde::Deserialize;

use super::read::Actual;
use super::tokens::Tokens;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    about: String,
    pub dialect: Dialect,
    first_token: Option<usize>,
    last_token: Option<usize>,
    outcome: Outcome,
    text: Option<String>,
    usage: Option<Tokens>,
    billed: Option<Tokens>,
    #[serde(default)]
    gateway_hit: bool,
    #[serde(default)]
    permanent: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Outcome {
    Word(Complete),
    Failure { fails: String, saying: String },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Complete {
    Complete,
}

impl Expected {
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let expected: Self = toml::from_str(&text).map_err(|error| error.to_string())?;
        let complete = matches!(expected.outcome, Outcome::Word(Complete::Complete));
        let whole = expected.usage.is_some() && expected.text.is_some() && expected.billed.is_none();
        let broken = expected.usage.is_none() && expected.text.is_none() && expected.first_token.is_none();
        if expected.about.is_empty() || !(if complete { whole } else { broken }) {
            return Err("a complete answer has `usage` and `text`, a failed one `billed` at most; both `about`".into());
        }
        Ok(expected)
    }

    /// `arrivals`: with which read each event was there.
    pub fn compare(&self, actual: &Actual, arrivals: &[usize]) -> Result<(), String> {
        match (&self.outcome, &actual.result) {
            (Outcome::Word(Complete::Complete), Ok(reply)) => self.compare_reply(reply)?,
            (Outcome::Failure { fails, saying }, Err(failure)) => self.compare_failure(fails, saying, failure)?,
            (expected, actual) => return Err(format!("expected {expected:?}, but was {actual:?}")),
        }
        let arrival = |event: usize| arrivals.get(event).copied().ok_or(format!("it has no event {event}"));
        let of = |event: Option<usize>| event.map(arrival).transpose();
        same("the read of the first token", &of(self.first_token)?, &actual.first_token)?;
        same("the read of the last token", &of(self.last_token)?, &actual.last_token)
    }

    fn compare_reply(&self, reply: &Reply) -> Result<(), String> {
        let answer = reply.answer.as_ref().ok_or("its text was not kept")?;
        let text = String::from_utf8_lossy(&answer.content).into_owned();
        same("text", &self.text.as_deref(), &Some(text.as_str()))?;
        same("usage", &self.usage.map(Tokens::usage), &Some(reply.usage))?;
        same("the kept answer's usage", &reply.usage, &answer.usage)?;
        same("gateway_hit", &self.gateway_hit, &reply.gateway_hit)
    }

    fn compare_failure(&self, kind: &str, saying: &str, failure: &Failure) -> Result<(), String> {
        same("the kind of failure", &kind.to_owned(), &failure.kind.to_string())?;
        if !failure.detail.contains(saying) {
            return Err(format!("the failure says \"{}\", not \"{saying}\"", failure.detail));
        }
        same("billed", &self.billed.map(Tokens::usage), &failure.billed)?;
        same("permanent", &self.permanent, &failure.permanent)
    }
}

fn same<T: Debug + PartialEq>(what: &str, expected: &T, actual: &T) -> Result<(), String> {
    if expected == actual { Ok(()) } else { Err(format!("{what}: expected {expected:?}, but was {actual:?}")) }
}
