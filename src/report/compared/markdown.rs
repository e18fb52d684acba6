//! Comparison -> Markdown: the sentence first, then the table, where time goes, and the whole summary folded away.

use std::fmt::Write;

use super::super::markdown::{escaped, folded, mark};
use super::super::text::{Style, Tone};
use super::sweep::ComparedSweep;
use super::tables::{self, Table};
use super::{closing_words, words};
use crate::compare::Comparison;

pub fn markdown(comparison: &Comparison) -> String {
    let (tone, closing) = closing_words(comparison);
    let mut out = format!("**{} {}**: {}\n", mark(tone), escaped(&closing), escaped(&super::name(comparison)));
    for (_, doubt) in super::doubts(comparison).take(5) {
        let _ = writeln!(out, "\n- {}", escaped(&doubt));
    }
    for arm in 1..comparison.arms.len() {
        for row in super::headlines(comparison, arm) {
            let _ = writeln!(out, "\n{}", escaped(&words::sentence(comparison, row)));
        }
        table(&mut out, &tables::metrics(comparison, arm));
    }
    if let Some(further) = words::further(comparison) {
        let _ = writeln!(out, "\n{}", escaped(&further));
    }
    for other in &comparison.arms[1..] {
        if let Some(said) = words::where_time_goes(&comparison.arms[0], other) {
            let _ = writeln!(out, "\n{}", escaped(&said));
        }
    }
    expectations(&mut out, comparison);
    folded(&mut out, "the whole summary", &super::text(comparison, Style::PLAIN));
    out
}

pub fn of_sweep(sweep: &ComparedSweep) -> String {
    let (tone, closing) = sweep.closing_words();
    let mut out = format!("**{} {}**\n", mark(tone), escaped(&closing));
    for (heading, of_metric) in sweep.tables() {
        let _ = writeln!(out, "\n{}", escaped(&heading));
        table(&mut out, &of_metric);
    }
    folded(&mut out, "every comparison", &sweep.every_comparison(Style::PLAIN));
    out
}

fn table(out: &mut String, table: &Table) {
    if table.rows.is_empty() {
        return;
    }
    let line = |cells: &[String]| cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>().join(" | ");
    let side = |head: &String| if head == Table::WORDS { "---|" } else { "--:|" };
    let sides: String = table.heads.iter().skip(1).map(side).collect();
    let _ = writeln!(out, "\n| {} |\n|---|{sides}", line(&table.heads));
    for row in &table.rows {
        let _ = writeln!(out, "| {} |", line(row));
    }
}

fn expectations(out: &mut String, comparison: &Comparison) {
    let missed = comparison
        .arms
        .iter()
        .flat_map(|arm| arm.expectations.iter().filter(|judged| !judged.passed).map(move |judged| (&arm.name, judged)));
    for (arm, judged) in missed {
        let tone = if judged.undecided.is_some() { Tone::Doubt } else { Tone::Bad };
        let met = super::super::text::met(judged);
        let _ =
            writeln!(out, "\n- {} arm {}: {}: {}", mark(tone), escaped(arm), escaped(&judged.expect), escaped(&met));
    }
}
