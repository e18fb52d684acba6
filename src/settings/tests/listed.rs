//! The table as people read it, in `docs/settings.md` and on the workbench's last line.

use std::fmt::Write;

use expect_test::expect_file;

use super::super::table::{HOP, SPECS};
use super::super::{Applies, Kind, Spec};
use super::tuning;

fn specs() -> impl Iterator<Item = &'static Spec> {
    SPECS.iter().chain([&HOP])
}

#[test]
fn every_setting_says_in_a_line_what_it_is() {
    for spec in specs() {
        let length = spec.about.chars().count();
        assert!((10..=60).contains(&length), "{}: {length} characters", spec.id);
    }
}

/// After a change of the table: `UPDATE_EXPECT=1 cargo test --lib listed`.
#[test]
fn the_documentation_lists_every_setting() {
    expect_file!["../../../docs/settings.md"].assert_eq(&markdown());
}

fn markdown() -> String {
    let mut text = String::from(
        "# Settings that change while load runs\n\n\
         The workbench steps them, epochs are told apart by them. An id is the setting's key in a [profile](profile.md), so\n\
         each can be set for a whole run too: `--set stack.pool.max_connections=8`. `*` stands for a route's name, or for the\n\
         place of a hop in the fallback chain. Setting `load.rate` or `load.users` ends the profile's stages.\n\n\
         - *live*: from the next call on\n\
         - *drain*: from the next call on, and connections that do not fit close as they fall idle\n\
         - *cold*: what it concerns is rebuilt, and loses what it held\n\n\
         | id | shown as | takes | applies | what it is |\n|---|---|---|---|---|\n",
    );
    for spec in specs() {
        let applies = match spec.applies {
            Applies::Live => "live",
            Applies::Drain => "drain",
            Applies::Cold => "cold",
        };
        let (id, label, about) = (spec.id, spec.label, spec.about);
        writeln!(text, "| `{id}` | {label} | {} | {applies} | {about} |", takes(spec)).unwrap();
    }
    text.push_str(
        "\nThis table is made from `src/settings/table.rs`; a test fails when it is stale and says how to renew it.\n",
    );
    text
}

fn takes(spec: &'static Spec) -> String {
    if spec.id == "stack.route" {
        return "a route's name".into();
    }
    let tuning = tuning();
    let mut closed = tuning.profile().clone();
    closed.load.mode = crate::profile::Mode::Closed;
    closed.stack.cache.redis = Some(Default::default());
    // Each applies in one of these.
    let in_some = [tuning.profile(), &closed].into_iter().find_map(|profile| {
        let setting = spec.settings(profile).into_iter().find(|setting| setting.get(profile).is_some())?;
        Some(setting.takes(profile))
    });
    match (in_some, spec.kind) {
        (Some(takes), _) => takes,
        (None, Kind::Toggle) => "on or off".into(),
        (None, _) => panic!("{}: no profile has it", spec.id),
    }
}
