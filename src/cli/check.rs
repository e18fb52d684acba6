//! `gatebench check`: the preflight's lines as they come, or its document; exit code.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use super::args::{CheckArgs, OutputArgs};
use super::delivery::style;
use super::{Failure, load, print};
use crate::check::{self, Calls, Check, Document, Finding, Status, Step, Witness, page};
use crate::report::Style;

pub fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let loaded = load::load(args.profile.as_deref(), &args.load)?;
    let calls = if args.no_call { Calls::LeftOut } else { Calls::Made };
    let mut lines = Lines::new(&args.output);
    let findings = until_a_signal(check::run(&Check { loaded: &loaded, calls }, &mut lines))?;
    lines.end(findings, &args.output)
}

/// A signal ends the process at once: nothing is left to be finished or written.
fn until_a_signal(work: impl Future<Output = Vec<Finding>>) -> Result<Vec<Finding>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::could_not_run)?;
    let findings = LocalSet::new().block_on(&runtime, async {
        let mut interrupts = signal(SignalKind::interrupt()).map_err(Failure::could_not_run)?;
        let mut terminations = signal(SignalKind::terminate()).map_err(Failure::could_not_run)?;
        tokio::select! {
            findings = work => Ok(findings),
            _ = interrupts.recv() => std::process::exit(130),
            _ = terminations.recv() => std::process::exit(143),
        }
    });
    // A look-up that still waits for a DNS server is not waited for.
    runtime.shutdown_background();
    findings
}

/// Lines on stdout as they come, and on a terminal what is waited for.
struct Lines {
    /// `None`: the findings are printed otherwise, or not at all.
    style: Option<Style>,
    quiet: bool,
    waiting: Option<ProgressBar>,
}

impl Lines {
    fn new(output: &OutputArgs) -> Self {
        let waiting = (!output.quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner();
            let looks = ProgressStyle::with_template("  {spinner} {wide_msg}").expect("a constant template");
            bar.set_style(looks.tick_chars("-\\|/ "));
            bar
        });
        let style = (!output.json && !output.quiet).then(|| style(output));
        Self { style, quiet: output.quiet, waiting }
    }

    fn print(&self, text: impl FnOnce(Style) -> String) {
        if let Some(bar) = &self.waiting {
            bar.finish_and_clear();
        }
        let Some(style) = self.style else { return };
        // A reader that went away has what it wanted, and the exit code stays.
        let _ = print(&text(style));
    }

    fn end(self, findings: Vec<Finding>, output: &OutputArgs) -> Result<u8, Failure> {
        let code = check::exit_code(&findings);
        self.print(|style| page::closing(&findings, style));
        if output.quiet && !output.json {
            for finding in findings.iter().filter(|finding| finding.status == Status::Fail) {
                let mend = finding.mend.as_ref().map(|mend| format!("; {mend}")).unwrap_or_default();
                let (scope, step) = (finding.scope.as_str(), finding.step.name());
                let place = if scope == step { scope.to_owned() } else { format!("{scope}: {step}") };
                eprintln!("error: {place}: {}{mend}", finding.detail);
            }
        }
        if output.json {
            print(&Document::of(findings).json())?;
        }
        Ok(code)
    }
}

impl Witness for Lines {
    fn announces(&mut self, words: &str) {
        if !self.quiet {
            eprintln!("note: {words}");
        }
    }

    fn enters(&mut self, scope: &str, about: &str) {
        self.print(|style| page::heading(scope, about, style));
    }

    fn waits(&mut self, scope: &str, step: Step, for_what: &str) {
        if let Some(bar) = &self.waiting {
            bar.reset();
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.set_message(format!("{scope} {}: waiting for {for_what} (10 s at most)", step.name()));
        }
    }

    fn finds(&mut self, finding: &Finding) {
        self.print(|style| page::line(finding, style));
    }
}
