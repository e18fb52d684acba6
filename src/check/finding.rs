//! What a step found, for people and for scripts, and the exit code that follows from all of it.
//! Must not know how it was found.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// One line of a check.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// What it is about: `profile`, `routes.NAME`, `redis` or `machine`.
    pub scope: String,
    pub step: Step,
    pub status: Status,
    /// What was found, or why nothing was looked for.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
    /// How long the step took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
    /// What was found as values, such as `addresses`, `expires_in_days`, `ttft_ms` or `cny`; which there are depends
    /// on the step.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
    #[serde(skip)]
    is_bad_input: bool,
}

/// In the order they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    Profile,
    Key,
    Dns,
    Tcp,
    Tls,
    Models,
    Call,
    Redis,
    Files,
    Clock,
    Timer,
    Cores,
    Proxies,
}

impl Step {
    /// Those that send something to an endpoint.
    pub const ON_THE_WAY: [Self; 5] = [Self::Dns, Self::Tcp, Self::Tls, Self::Models, Self::Call];

    pub fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Key => "key",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Models => "models",
            Self::Call => "call",
            Self::Redis => "redis",
            Self::Files => "files",
            Self::Clock => "clock",
            Self::Timer => "timer",
            Self::Cores => "cores",
            Self::Proxies => "proxies",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    /// A run works, but perhaps not as meant.
    Warn,
    /// A run cannot work.
    Fail,
    /// Not looked at; the detail says why.
    Skip,
}

impl Status {
    /// As a line begins: failures stand out without colour too.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Skip => "skip",
        }
    }
}

/// A finding before it is known where it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    status: Status,
    detail: String,
    mend: Option<String>,
    ms: Option<f64>,
    facts: Map<String, Value>,
    is_bad_input: bool,
}

impl Note {
    fn new(status: Status, detail: impl Into<String>, mend: Option<String>) -> Self {
        Self { status, detail: detail.into(), mend, ms: None, facts: Map::new(), is_bad_input: false }
    }

    pub fn ok(detail: impl Into<String>) -> Self {
        Self::new(Status::Ok, detail, None)
    }

    pub fn skip(why: impl Into<String>) -> Self {
        Self::new(Status::Skip, why, None)
    }

    pub fn warn(detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(Status::Warn, detail, Some(mend.into()))
    }

    pub fn fail(detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(Status::Fail, detail, Some(mend.into()))
    }

    /// A failure of the profile, an argument or the environment, which keeps anything from being sent.
    pub fn bad_input(detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::fail(detail, mend).blamed_on_input()
    }

    /// An error as the house writes them: what it is; how to mend it.
    pub fn of_error(error: &impl ToString) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, mend)) => Self::fail(what, mend),
            None => Self::new(Status::Fail, text, None),
        }
    }

    /// What to do where the error itself does not say.
    pub fn or_mend(mut self, mend: &str) -> Self {
        self.mend.get_or_insert_with(|| mend.to_owned());
        self
    }

    /// A warning as the house writes them.
    pub fn of_warning(text: &str) -> Self {
        Self { status: Status::Warn, ..Self::of_error(&text) }
    }

    pub fn blamed_on_input(self) -> Self {
        Self { is_bad_input: true, ..self }
    }

    pub fn took(mut self, time: Duration) -> Self {
        self.ms = Some(ms(time));
        self
    }

    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    pub fn has_failed(&self) -> bool {
        self.status == Status::Fail
    }

    pub fn of(self, scope: &str, step: Step) -> Finding {
        let Self { status, detail, mend, ms, facts, is_bad_input } = self;
        Finding { scope: scope.to_owned(), step, status, detail, mend, ms, facts, is_bad_input }
    }
}

/// To the nanosecond.
pub fn ms(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

/// What `gatebench check --json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Document {
    /// `gatebench.check/1`
    pub schema: &'static str,
    pub gatebench: &'static str,
    /// Nothing failed.
    pub passed: bool,
    pub exit_code: u8,
    pub checks: Vec<Finding>,
}

impl Document {
    pub fn of(checks: Vec<Finding>) -> Self {
        let exit_code = exit_code(&checks);
        let gatebench = env!("CARGO_PKG_VERSION");
        Self { schema: "gatebench.check/1", gatebench, passed: exit_code == 0, exit_code, checks }
    }

    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("its keys are strings");
        text.push('\n');
        text
    }
}

/// Of the contract: 2, nothing was sent; 1, something outside failed; 0.
pub fn exit_code(findings: &[Finding]) -> u8 {
    let failed = || findings.iter().filter(|finding| finding.status == Status::Fail);
    if failed().any(|finding| finding.is_bad_input) { 2 } else { failed().next().is_some().into() }
}

/// The JSON Schema of [`Document`].
pub fn schema() -> Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Document>()
        .to_value()
}
