//! Widgets drawn into small buffers.

use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;

use super::*;
use crate::tui::export;
use crate::tui::theme::{Charset, Depth, Side, Theme, Tier};

const THEMES: [Theme; 4] = [Theme::FULL, Theme::new(Depth::Ansi, Charset::Ascii), Theme::MONO, Theme::ASCII];
const US: u64 = 1_000;
const MS: u64 = 1_000_000;

fn drawn(widget: impl Widget, width: u16, height: u16) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    widget.render(buf.area, &mut buf);
    buf
}

fn text(widget: impl Widget, width: u16, height: u16) -> String {
    export::text(&drawn(widget, width, height))
}

fn segments(theme: &Theme, shares: &[f64]) -> Vec<Segment> {
    let tiers = Tier::ALL.into_iter().cycle();
    tiers.zip(shares).map(|(tier, &share)| Segment { share, paint: theme.tier(tier) }).collect()
}

fn stacked(theme: &Theme, shares: &[f64], width: u16) -> Buffer {
    drawn(StackedBar { segments: &segments(theme, shares), glyphs: theme.glyphs }, width, 1)
}

fn columns_of(counts: &[(usize, u32)], n: usize) -> Vec<[u32; 6]> {
    let mut column = [0; 6];
    counts.iter().for_each(|&(band, count)| column[band] = count);
    vec![column; n]
}

const EDGES: [u64; 5] = [10 * US, 100 * US, MS, 10 * MS, 100 * MS];

fn heatmap<'a>(columns: &'a [[u32; 6]], marks: &'a [Mark], theme: &'a Theme) -> Heatmap<'a, [u32; 6]> {
    Heatmap { columns, edges: &EDGES, marks, column_span: Duration::from_secs(1), theme }
}

/// Three peaks: a local cache, Redis and the model, with a few that failed.
fn buckets() -> Vec<Bucket> {
    let bucket = |from_ns, to_ns, tier: Tier, count, failed| {
        let mut counts = [0; 7];
        counts[tier as usize] = count;
        counts[Tier::Failed as usize] = failed;
        Bucket { from_ns, to_ns, counts }
    };
    vec![
        bucket(10 * US, 18 * US, Tier::Local, 1_711, 0),
        bucket(18 * US, 32 * US, Tier::Local, 703, 0),
        bucket(562 * US, MS, Tier::Redis, 500, 0),
        bucket(320 * MS, 560 * MS, Tier::Model, 580, 12),
        bucket(2_000 * MS, 3_000 * MS, Tier::Model, 4, 1),
    ]
}

#[test]
fn parts_of_a_bar_meet_within_a_cell_in_both_colours() {
    let buf = stacked(&Theme::FULL, &[0.25, 0.3], 10);
    assert_eq!(export::text(&buf), "██▌██▌\n");
    let [local, redis] = [Tier::Local, Tier::Redis].map(|tier| Theme::FULL.tier(tier).style.fg);
    assert_eq!((Some(buf[(2, 0)].fg), Some(buf[(2, 0)].bg)), (local, redis));
    assert_eq!(buf[(5, 0)].bg, Color::Reset);
}

#[test]
fn two_small_parts_share_a_cell_as_they_are_to_each_other() {
    let buf = stacked(&Theme::FULL, &[0.015, 0.005], 10);
    assert_eq!(export::text(&buf), "▊\n");
    assert_eq!(Some(buf[(0, 0)].bg), Theme::FULL.tier(Tier::Redis).style.fg);
}

#[test]
fn without_colour_parts_differ_by_their_fill() {
    let shares = [0.4, 0.2, 0.0, 0.0, 0.3, 0.02, 0.001];
    assert_eq!(export::text(&stacked(&Theme::MONO, &shares, 20)), "████████▒▒▒▒░░░░░░╱╳\n");
    assert_eq!(export::text(&stacked(&Theme::ASCII, &shares, 20)), "########====------~x\n");
}

#[test]
fn a_lone_part_without_colour_still_ends_in_a_fraction_of_a_cell() {
    assert_eq!(export::text(&stacked(&Theme::MONO, &[0.3], 5)), "█▌\n");
    assert_eq!(export::text(&stacked(&Theme::ASCII, &[0.3], 5)), "##\n");
}

#[test]
fn the_largest_parts_are_seen_where_not_all_have_a_cell() {
    assert_eq!(export::text(&stacked(&Theme::ASCII, &[0.01, 0.6, 0.3], 2)), "=+\n");
}

#[test]
fn a_bar_gives_up_its_length_then_its_name_but_not_its_number() {
    let bar = |width| {
        let theme = Theme::MONO;
        let paint = theme.bar();
        let (label, value) = ("local", "55.1%");
        text(Bar { label, label_width: 6, share: 0.55, value, value_width: 7, paint, theme: &theme }, width, 1)
    };
    assert_eq!(bar(30), "local  ████████▎         55.1%\n");
    assert_eq!(bar(16), "local  ▌   55.1%\n");
    assert_eq!(bar(11), "lo…   55.1%\n");
    assert_eq!(bar(5), "55.1%\n");
}

#[test]
fn a_sparkline_tells_nothing_from_zero_from_little() {
    let values = [Some(9.0), None, Some(0.0), Some(0.01), Some(4.0), Some(8.0), Some(f64::NAN)];
    let line = |theme| Sparkline { values: &values, max: Some(8.0), style: Style::new(), theme };
    assert_eq!(text(line(&Theme::MONO), 8, 1), " █ ▁▂▅█\n");
    assert_eq!(text(line(&Theme::ASCII), 4, 1), "_=#\n");
}

#[test]
fn a_histogram_parts_rows_by_tier_and_counts_them() {
    let buckets = buckets();
    let histogram = |theme| LogHistogram { buckets: &buckets, theme };
    assert_snapshot!(text(histogram(&Theme::MONO), 50, 8), @r"
     10us│████████████████████████████ 1,711 local
     20us│███████████▌                   703 local
    500us┊▒▒▒▒▒▒▒▒                       500 redis
    200ms┊░░░░░░░░░╳                     592 model
       2s┊░╳                               5 model
    ");
    assert_snapshot!(text(histogram(&Theme::MONO), 50, 20), @r"
     10us│████████████████████████████ 1,711 local
     20us│███████████▌                   703 local
     50us│
    100us│
    200us│
    500us│▒▒▒▒▒▒▒▒                       500 redis
      1ms│
      2ms│
      5ms│
     10ms│
     20ms│
     50ms│
    100ms│
    200ms│░░░░░░░░░╳                     592 model
    500ms│
       1s│
       2s│░╳                               5 model
    ");
    assert_snapshot!(text(histogram(&Theme::ASCII), 24, 8), @r"
     10us|############ 1.7k
     20us|#####         703
    500us:====          500
    200ms:----x         592
       2s:-x              5
    ");
}

#[test]
fn every_call_is_in_some_row_of_a_histogram() {
    let buckets = buckets();
    let total: u64 = buckets.iter().flat_map(|bucket| bucket.counts).sum();
    let row = text(LogHistogram { buckets: &buckets, theme: &Theme::MONO }, 50, 1);
    assert!(row.contains(&crate::report::format::count(total)), "{row}");
}

#[test]
fn a_heatmap_shows_single_calls_beside_many_and_marks_changes() {
    let mut columns = columns_of(&[(1, 400), (3, 30)], 12);
    columns.extend(columns_of(&[(1, 900), (2, 1)], 12));
    let marks = [Mark { column: 12, style: Style::new() }];
    assert_snapshot!(text(heatmap(&columns, &marks, &Theme::MONO), 34, 5), @r"
      1ms│   ░░░░░░░░░░░░│
    100us│               ░░░░░░░░░░░░
     10us│   ▓▓▓▓▓▓▓▓▓▓▓▓████████████
         └───24s ago ────▲─────── now
    ");
    assert_snapshot!(text(heatmap(&columns, &marks, &Theme::ASCII), 20, 4), @r"
      1ms|.|
    100us| ............
     10us|*############
         +-^------- now
    ");
}

#[test]
fn a_mark_runs_over_filled_cells_with_their_heat_behind_it() {
    let columns = columns_of(&[(1, 5)], 4);
    let marks = [Mark { column: 3, style: Theme::FULL.mark() }];
    let buf = drawn(heatmap(&columns, &marks, &Theme::FULL), 10, 2);
    let heat = Theme::FULL.heat(1.0).style.fg;
    assert_eq!((buf[(9, 0)].symbol(), Some(buf[(9, 0)].bg), Some(buf[(8, 0)].fg)), ("│", heat, heat));
}

#[test]
fn bands_of_a_heatmap_share_rows_where_height_is_short() {
    let columns = columns_of(&[(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1)], 20);
    assert_snapshot!(text(heatmap(&columns, &[], &Theme::ASCII), 27, 5), @r"
    100ms+|********************
      10ms|********************
     100us|####################
    <100us|####################
          +20s ago -------- now
    ");
    assert_snapshot!(text(heatmap(&columns, &[], &Theme::ASCII), 27, 2), @r"
    all|####################
       +20s ago -------- now
    ");
}

fn mirrored<'a>(edges: &'a [u64], counts: [&'a [u64]; 2], theme: &'a Theme) -> MirroredHistogram<'a> {
    MirroredHistogram { edges, counts, paints: [Side::First, Side::Other].map(|side| theme.arm(side)), theme }
}

#[test]
fn two_kinds_of_calls_stand_back_to_back_each_in_shares_of_its_own() {
    let edges = LogAxis::over(10 * MS, 80 * MS, 3).edges(3);
    let counts: [&[u64]; 2] = [&[2, 78, 20], &[7, 1, 0]];
    assert_snapshot!(text(mirrored(&edges, counts, &Theme::FULL), 50, 3), @r"
     2.0%              ▐ 10.0ms│███████████████ 87.5%
    78.0% ▐█████████████ 20.0ms│██              12.5%
    20.0%           ▐███ 40.0ms│
    ");
    assert_snapshot!(text(mirrored(&edges, counts, &Theme::MONO), 50, 3), @r"
     2.0%              ▐ 10.0ms│▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ 87.5%
    78.0% ▐█████████████ 20.0ms│▒▒              12.5%
    20.0%           ▐███ 40.0ms│
    ");
    assert_snapshot!(text(mirrored(&edges, counts, &Theme::ASCII), 24, 3), @r"
          # 10.0ms|========
    ####### 20.0ms|=
         ## 40.0ms|
    ");
}

#[test]
fn a_kind_without_calls_has_no_bars() {
    let edges = LogAxis::over(10 * MS, 80 * MS, 3).edges(3);
    assert_snapshot!(text(mirrored(&edges, [&[], &[0, 1, 3]], &Theme::ASCII), 30, 3), @r"
    10.0ms|
    20.0ms|====
    40.0ms|===========
    ");
}

/// Shares that rise evenly on the logarithmic axis between two times.
fn rising(from_ns: u64, to_ns: u64) -> Vec<(u64, f64)> {
    let axis = LogAxis::over(from_ns, to_ns, 1);
    (0..=50).map(|i| (axis.at(f64::from(i) / 50.0) as u64, f64::from(i) / 50.0)).collect()
}

fn curves<'a>(curves: [&'a [(u64, f64)]; 2], theme: &'a Theme) -> Curves<'a> {
    let styles = [Side::First, Side::Other].map(|side| theme.arm(side).style);
    Curves { curves, axis: LogAxis::over(10 * MS, 1_000 * MS, 10), styles, letters: ['A', 'B'], theme }
}

#[test]
fn curves_are_solid_and_dashed_or_letters() {
    let (first, other) = (rising(20 * MS, 60 * MS), rising(150 * MS, 600 * MS));
    assert_snapshot!(text(curves([&first, &other], &Theme::MONO), 50, 8), @r"
    100%│                ⡠⠊⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⡩⠉⠉⠉⠉⠉⠉
        │              ⡠⠊                    ⠤
     50%│            ⣀⠎                    ⠔
        │          ⢀⠜                    ⠊
        │        ⢀⠔⠁                 ⢀ ⠊
      0%│⣀⣀⣀⣀⣀⣀⣀⠔⣁ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⣀ ⠁
        └┬──────┬───────┬──────┬──────┬───────┬──────┬
       10ms   20ms    50ms   100ms  200ms   500ms   1s
    ");
    assert_snapshot!(text(curves([&first, &other], &Theme::ASCII), 50, 8), @r"
    100%|                AAAAAAAAAAAAAAAAAAAAAAA******
        |              AA                    BBB
     50%|            AA                   BBB
        |          AA                   BB
        |        AA                  BBB
      0%|********BBBBBBBBBBBBBBBBBBBB
        ++------+-------+------+------+-------+------+
       10ms   20ms    50ms   100ms  200ms   500ms   1s
    ");
}

#[test]
fn equal_curves_are_one_line_in_the_terminals_own_colour() {
    let equal = rising(20 * MS, 600 * MS);
    let buf = drawn(curves([&equal, &equal], &Theme::FULL), 40, 6);
    let dots =
        buf.content.iter().filter(|cell| ('\u{2801}'..='\u{28ff}').contains(&cell.symbol().chars().next().unwrap()));
    let (both, first): (Vec<_>, Vec<_>) = dots.partition(|cell| cell.fg == Color::Reset);
    assert!(!both.is_empty() && first.iter().all(|cell| Some(cell.fg) == Theme::FULL.arm(Side::First).style.fg));
    assert!(text(curves([&equal, &equal], &Theme::ASCII), 40, 6).contains("***"));
}

#[test]
fn a_curve_without_points_is_not_drawn() {
    let first = rising(20 * MS, 60 * MS);
    assert!(!text(curves([&first, &[]], &Theme::ASCII), 50, 8).contains('B'));
}

proptest! {
    #[test]
    fn every_part_of_a_bar_is_seen_however_small(
        shares in prop::collection::vec(prop_oneof![Just(0.0), 0.0..1.0_f64, 0.0..0.01_f64], 0..7),
        width in 7..60_u16,
    ) {
        for theme in THEMES {
            let buf = stacked(&theme, &shares, width);
            let text = export::text(&buf);
            let parts = shares.iter().filter(|share| **share > 0.0).count();
            for (tier, share) in Tier::ALL.into_iter().zip(&shares) {
                let paint = theme.tier(tier);
                let by_colour = |cell: &ratatui::buffer::Cell| {
                    paint.style.fg.is_some_and(|color| color == cell.fg || color == cell.bg)
                };
                // A lone part needs no fill of its own.
                let by_fill = || text.contains(paint.fill) || parts == 1 && text.trim() != "";
                let seen = match paint.style.fg {
                    Some(_) => buf.content.iter().any(by_colour),
                    None => by_fill(),
                };
                if *share > 0.0 {
                    prop_assert!(seen, "{:?} {:?}", tier, text);
                }
            }
        }
    }

    #[test]
    fn everything_draws_at_any_size_and_keeps_to_its_area(
        x in 0..5_u16, y in 0..5_u16, width in 0..90_u16, height in 0..30_u16,
        counts in prop::collection::vec(prop::array::uniform6(prop_oneof![Just(0), any::<u32>()]), 0..100),
        mark in 0..120_usize,
        values in prop::collection::vec(prop::option::of(any::<f64>()), 0..100),
    ) {
        let area = Rect { x, y, width, height };
        let marks = [Mark { column: mark, style: Style::new() }];
        let times = EDGES.into_iter().chain([u64::MAX]).zip(&counts);
        let buckets: Vec<_> = times
            .map(|(to_ns, row)| Bucket { from_ns: to_ns / 2, to_ns, counts: [row[0].into(); 7] })
            .collect();
        let shares: Vec<_> = values.iter().flatten().copied().collect();
        for theme in &THEMES {
            let parts = segments(theme, &shares);
            let bar = |share| Bar {
                label: "模型", label_width: 9, share, value: "1%", value_width: 6, paint: theme.bar(), theme,
            };
            let points: Vec<_> = counts.iter().map(|row| (u64::from(row[0]), f64::from(row[1]) / 1e9)).collect();
            let edges: Vec<_> = counts.iter().map(|row| u64::from(row[2])).collect();
            let draw: [&dyn Fn(&mut Buffer); 7] = [
                &|buf| mirrored(&edges, [&edges, &[]], theme).render(area, buf),
                &|buf| curves([&points, &[]], theme).render(area, buf),
                &|buf| StackedBar { segments: &parts, glyphs: theme.glyphs }.render(area, buf),
                &|buf| bar(shares.first().copied().unwrap_or_default()).render(area, buf),
                &|buf| Sparkline { values: &values, max: None, style: theme.good(), theme }.render(area, buf),
                &|buf| LogHistogram { buckets: &buckets, theme }.render(area, buf),
                &|buf| heatmap(&counts, &marks, theme).render(area, buf),
            ];
            for draw in draw {
                let mut buf = Buffer::empty(Rect::new(0, 0, 100, 40));
                draw(&mut buf);
                let outside = (0..40).flat_map(|y| (0..100).map(move |x| (x, y))).filter(|&at| !area.contains(at.into()));
                prop_assert!(outside.into_iter().all(|at| buf[at] == ratatui::buffer::Cell::EMPTY));
                draw(&mut Buffer::empty(Rect::new(0, 0, width / 2, height / 2)));
            }
        }
    }
}
