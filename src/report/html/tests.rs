//! What the page of a synthetic run holds, and what it must never do.

use super::html;
use crate::metrics::Bands;
use crate::report::tests::synthetic;
use crate::report::{Heatmap, Report};

/// The page as XML, which it is beside being HTML.
fn parsed(page: &str, check: impl FnOnce(&roxmltree::Document)) {
    let body = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    check(&roxmltree::Document::parse(body).unwrap_or_else(|why| panic!("{why}\n{page}")));
}

fn report() -> Report {
    let mut report = synthetic::report(&["p99 < 800ms", "errors < 5%", "ttft.p999 < 9s"]);
    let mut later = report.series[0].clone();
    (later.at_s, later.epoch, later.p99_ms, later.p50_ms) = (1.0, 1, Some(2_000.0), Some(600.0));
    later.bands = bands(&[(600, 40), (2_000, 2)]);
    report.series[0].warmup = true;
    report.series.extend([later.clone(), crate::metrics::Point { at_s: 2.0, ..later }]);
    report.heatmap = Heatmap::of(&report.series);
    report
}

/// Of milliseconds and how many calls took them.
fn bands(times: &[(u64, u64)]) -> Bands {
    let mut histogram = hdrhistogram::Histogram::new(2).unwrap();
    times.iter().for_each(|(ms, calls)| histogram.record_n(ms * 1_000_000, *calls).unwrap());
    Bands::of(&histogram)
}

#[test]
fn a_page_has_a_chart_of_each_kind_and_each_says_what_it_shows() {
    parsed(&html(&report()), |page| {
        let captions = page.descendants().filter(|node| node.has_tag_name("figcaption")).filter_map(|node| node.text());
        let expected = [
            "Service time by tier",
            "Latency by percentile",
            "Service time (log)",
            "Heatmap of service time (log)",
            "Calls a second",
            "Hit rate",
            "In flight and connections",
            "Served by",
            "Saved in the measured window (CNY)",
        ];
        assert_eq!(captions.collect::<Vec<_>>(), expected);
        let charts = page.descendants().filter(|node| node.attribute("role") == Some("img"));
        for chart in charts {
            assert!(chart.attribute("aria-label").is_some_and(|label| label.contains(": ")));
            let first = chart.first_element_child().unwrap();
            assert!(first.tag_name().name() == "title" && first.text().is_some());
        }
    });
}

#[test]
fn what_is_not_measured_and_epochs_are_marked_in_every_chart_over_time() {
    let mut report = report();
    report.run.measured_s = 1.5;
    parsed(&html(&report), |page| {
        let of_class = |class| page.descendants().filter(|node| node.attribute("class") == Some(class)).count();
        assert_eq!(of_class("epoch"), 5);
        // Warm-up, drain, and their key in the legend.
        assert_eq!(of_class("outside"), 5 * 3);
        assert_eq!(of_class("veil"), 2, "over the heatmap's cells");
    });
}

#[test]
fn the_bars_of_the_histogram_are_as_high_as_the_answers_of_their_tier() {
    let report = report();
    parsed(&html(&report), |page| {
        let chart = page
            .descendants()
            .find(|node| node.attribute("aria-label").is_some_and(|label| label.starts_with("Service time by tier")))
            .unwrap();
        let height = |look| -> f64 {
            let bars = chart.descendants().filter(|node| node.attribute("class") == Some(look));
            bars.map(|bar| bar.attribute("height").unwrap().parse::<f64>().unwrap()).sum()
        };
        let (local, model) = (report.served_by.local.count as f64, report.served_by.model.count as f64);
        assert!((height("bar c") / height("bar a") - local / model).abs() < 0.01);
    });
}

#[test]
fn each_cell_of_the_heatmap_says_when_how_long_and_how_many_and_the_fuller_is_the_stronger() {
    parsed(&html(&report()), |page| {
        let cells = page.descendants().filter(|node| {
            node.attribute("class").is_some_and(|class| class.starts_with("heat")) && node.has_children()
        });
        let cells: Vec<_> = cells.map(|cell| (cell.attribute("class").unwrap(), cell.first_child().unwrap())).collect();
        let said: Vec<_> = cells.iter().map(|(class, title)| (*class, title.text().unwrap())).collect();
        let second = [("heat h6", "1-2s, 562ms to 1.00s: 40 calls"), ("heat h2", "1-2s, 1.78s to 3.16s: 2 calls")];
        assert_eq!(said[..2], second);
        assert_eq!(said.len(), 4, "and as many in the second after");
        let legend =
            page.descendants().find(|node| node.text().is_some_and(|text| text.contains("calls a cell of 1.0s")));
        assert!(legend.is_some());
    });
}

#[test]
fn text_from_outside_stays_text() {
    let attack = "</title></style><script>alert(\"1\")</script><img src='x' onerror=\"alert(2)\"/>&\u{7}";
    let mut report = report();
    report.profile["description"] = attack.into();
    report.profile["workload"]["model"] = attack.into();
    let model = report.models.values().next().unwrap().clone();
    report.models.insert(attack.into(), model);
    report.errors.insert(attack.into(), 1);
    report.error_examples.insert(attack.into(), attack.into());
    report.cache_errors.redis.insert(attack.into(), 1);
    report.cache_errors.examples.insert(attack.into(), attack.into());
    report.events[0].text = attack.into();
    report.expectations[0].expect = attack.into();
    report.epochs[0].changed = vec![attack.into()];
    report.epochs.push(report.epochs[0].clone());
    report.cost.unpriced = vec![attack.into()];
    report.cost.prices_as_of = attack.into();
    report.cost.saved.currency = attack.into();
    report.run.warnings = vec![attack.into()];
    report.run.invalid_because = vec![attack.into()];
    report.run.insecure_routes = vec![attack.into()];
    report.run.started_at = attack.into();
    report.environment.kernel = Some(attack.into());
    let page = html(&report);
    assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)"));
    parsed(&page, |page| {
        let known = |name: &str| !["script", "img", "iframe", "object", "a", "link"].contains(&name);
        for node in page.descendants().filter(roxmltree::Node::is_element) {
            assert!(known(node.tag_name().name()), "<{}>", node.tag_name().name());
            assert!(node.attributes().all(|attribute| !attribute.name().starts_with("on")));
        }
    });
}

#[test]
fn a_page_asks_for_nothing_outside_itself() {
    let page = html(&report());
    assert!(page.contains("default-src 'none'"));
    parsed(&page, |page| {
        let loading = ["src", "href", "srcset", "data", "action", "style"];
        for node in page.descendants() {
            assert!(node.attributes().all(|attribute| !loading.contains(&attribute.name())));
        }
        let style = page.descendants().find(|node| node.has_tag_name("style")).unwrap().text().unwrap();
        assert!(!style.contains("url(") && !style.contains("@import") && !style.contains("//"));
    });
}

#[test]
fn expectations_have_a_mark_and_words() {
    let page = html(&report());
    for said in ["✗ failed", "✓ held", "? could not be judged", "too few samples"] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn a_run_without_answers_or_seconds_still_makes_a_page() {
    let mut report = report();
    report.histograms.clear();
    report.series.clear();
    report.models.clear();
    report.served_by = Default::default();
    report.latency_ms = Default::default();
    (report.load.qps, report.hit_rate, report.load.succeeded) = (None, None, 0);
    parsed(&html(&report), |page| {
        assert!(page.descendants().any(|node| node.text().is_some_and(|text| text.starts_with("nothing succeeded"))));
    });
}

#[test]
fn the_same_report_makes_the_same_page() {
    let report = report();
    assert_eq!(html(&report), html(&report.clone()));
}

#[test]
fn a_file_that_ends_in_html_is_the_page() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.HTML");
    crate::report::write(&path, &report()).unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), html(&report()));
}

#[test]
fn the_axis_of_percentiles_ends_where_the_calls_can_no_longer_tell() {
    let page = html(&report());
    assert!(page.contains(">p99</text>") && !page.contains(">p99.9</text>"), "990 answers");
}

#[test]
fn a_comparisons_page_has_both_arms_on_one_axis_and_each_arms_phases() {
    let mut comparison = crate::compare::tests::synthetic::comparison();
    comparison.arms[0].name = "<direct> & co".into();
    for (arm, first_token) in comparison.arms.iter_mut().zip([312.0, 38.0]) {
        arm.phases_ms = crate::compare::Phases { first_token, ..Default::default() };
    }
    parsed(&super::compared::html(&comparison), |page| {
        let captions = page.descendants().filter(|node| node.has_tag_name("figcaption")).filter_map(|node| node.text());
        let expected = [
            "response: share of an arm's calls (%)",
            "response: calls done after so long",
            "response.p50 block by block",
            "<direct> & co: 312ms a call",
            "gateway: 38.0ms a call",
        ];
        assert_eq!(captions.collect::<Vec<_>>(), expected);
        let svg = |label: &str| {
            let is = |node: &roxmltree::Node| node.attribute("aria-label").is_some_and(|said| said.starts_with(label));
            page.descendants().find(is).unwrap()
        };
        for chart in &expected[..3] {
            let lines = svg(chart)
                .descendants()
                .filter(|node| node.attribute("class").is_some_and(|class| class.starts_with("line")));
            assert_eq!(lines.count(), 2, "{chart}");
        }
        let width = |label: &str| -> f64 {
            let bar = svg(label).descendants().find(|node| node.has_tag_name("rect")).unwrap();
            bar.attribute("width").unwrap().parse().unwrap()
        };
        assert_eq!((width("<direct>"), width("gateway: 38")), (100.0, 12.18), "as long as the times");
    });
}

#[test]
fn a_sweeps_page_has_each_comparison_under_the_table_of_all() {
    let mut sweep = crate::report::compared::ComparedSweep::new(vec!["load.users".into()]);
    for value in ["1", "8"] {
        let comparison = crate::compare::tests::synthetic::comparison();
        sweep.points.push(crate::report::compared::At::new(value.into(), &[], comparison));
    }
    parsed(&super::compared::of_sweep(&sweep), |page| {
        let headings = page.descendants().filter(|node| node.has_tag_name("h2")).filter_map(|node| node.text());
        let of_all: Vec<_> = headings.filter(|text| text.contains("users")).collect();
        assert_eq!(of_all[0], "response.p50 at each users");
        assert_eq!(of_all.iter().filter(|text| text.ends_with(" at each users")).count(), 6, "each metric asked for");
        assert_eq!(of_all[6..], ["users = 1", "users = 8"]);
    });
}
