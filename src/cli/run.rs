//! `gatebench run`: load, progress, summary, exit code.

use super::args::{BaselineArgs, OutputArgs, RunArgs};
use super::baseline::Beside;
use super::calibrate::Standard;
use super::delivery::{check_formats, delivered, style, warn};
use super::progress::Progress;
use super::wishes::Wishes;
use super::{Failure, load, print, step_summary};
use crate::cost::{PriceBook, Pricer};
use crate::engine::{self, Handle, Until};
use crate::metrics::{Run, Snapshot, Stop};
use crate::profile::expect::latency_bounds;
use crate::profile::{Loaded, Profile};
use crate::report::{self, Hopeless, Outlook, Report, Verdict};

pub fn run(args: &RunArgs, baseline: &BaselineArgs) -> Result<u8, Failure> {
    check_formats::<Report>(&args.out)?;
    let loaded = load::load(args.profile.as_deref(), &args.load)?;
    let beside = Beside::of(baseline, &loaded.profile)?;
    let (report, verdict) = deliver(&loaded, args)?;
    Ok(Verdict::of_all([verdict, beside.settle(&report, &args.output)]).exit_code())
}

/// Runs what was loaded, and delivers its report.
pub fn headless(loaded: &Loaded, args: &RunArgs) -> Result<u8, Failure> {
    Ok(deliver(loaded, args)?.1.exit_code())
}

fn deliver(loaded: &Loaded, args: &RunArgs) -> Result<(Report, Verdict), Failure> {
    warn(loaded, &args.output);
    let report = measure(&loaded.profile, args, &mut Standard::default())?;
    let written = args.out.iter().map(|path| report::write(path, &report).map_err(Failure::could_not_run));
    step_summary::append(|| report::markdown::markdown(&report));
    let delivered = delivered(std::iter::once(show(&report, &args.output)).chain(written));
    let verdict = Verdict::of_all([Verdict::of(&report), delivered]);
    Ok((report, verdict))
}

/// Runs a profile; the report, held against what this machine can generate if that is in question.
pub fn measure(profile: &Profile, args: &RunArgs, standard: &mut Standard) -> Result<Report, Failure> {
    let outlook = args.abort_on_fail.then(|| Outlook::of(profile, profile.expectations()));
    let (run, hopeless) = execute(profile, outlook.as_ref(), &mut Progress::new(args.output.quiet))?;
    let mut report = Report::of(&run, &pricer(&run.profile), &profile.expectations());
    // Seen too late, the run went to its end, and is judged by that.
    if let Some(hopeless) = hopeless.filter(|_| run.stop == Stop::Aborted) {
        report.abort(&hopeless);
    }
    standard.judge(&mut report, &run, &args.output);
    Ok(report)
}

fn show(report: &Report, output: &OutputArgs) -> Result<(), Failure> {
    if output.json {
        print(&report::json(report))?;
    } else if !output.quiet {
        print(&report::text(report, style(output)))?;
    } else if report::exit_code(report) != 0 {
        eprintln!("{}", report::shortfall(report));
    }
    Ok(())
}

/// Runs a profile to its end, or to the end a signal asks for (the second one leaves at once), or until the outlook is
/// hopeless: then it says what for.
fn execute(
    profile: &Profile,
    outlook: Option<&Outlook>,
    progress: &mut Progress,
) -> Result<(Run, Option<Hopeless>), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::could_not_run)?;
    runtime.block_on(async {
        let mut wishes = Wishes::heard()?;
        let handle = engine::start(profile.clone(), latency_bounds(&profile.expectations()), Until::Planned)?;
        let mut snapshots = handle.snapshots();
        let mut watch = Watch { outlook, hopeless: None };
        loop {
            let why = tokio::select! {
                why = wishes.next() => why,
                changed = snapshots.changed() => match changed {
                    Ok(()) => {
                        let snapshot = snapshots.borrow_and_update().clone();
                        progress.show(&snapshot);
                        watch.see(&snapshot, &handle, progress);
                        continue;
                    }
                    Err(_) => break,
                },
            };
            wishes.heed(why, progress, |why| handle.stop(why));
        }
        progress.clear();
        Ok((handle.join()?, watch.hopeless))
    })
}

/// Ends a run as soon as its outlook is hopeless.
struct Watch<'a> {
    outlook: Option<&'a Outlook>,
    /// What it was ended for.
    hopeless: Option<Hopeless>,
}

impl Watch<'_> {
    fn see(&mut self, snapshot: &Snapshot, handle: &Handle, progress: &Progress) {
        if self.hopeless.is_some() {
            return;
        }
        self.hopeless = self.outlook.and_then(|outlook| outlook.hopeless(snapshot));
        if let Some(hopeless) = &self.hopeless {
            progress.note(&format!("aborting: {}", hopeless.words()));
            handle.abort(hopeless.words());
        }
    }
}

pub fn pricer(profile: &Profile) -> Pricer {
    Pricer::new(profile, PriceBook::builtin())
}
