//! The table as people read it, in `docs/gateways.md`.

use std::fmt::Write;

use expect_test::expect_file;
use gatebench::route::{GATEWAYS, OptOut, Signal};

/// After a change of the table: `UPDATE_EXPECT=1 cargo test --test gateways lists`.
pub fn the_documentation_lists_every_gateway() {
    expect_file!["../../docs/gateways.md"].assert_eq(&markdown());
}

fn markdown() -> String {
    let mut text = String::from(
        "# Gateways and their caches\n\n\
         An answer that a gateway served from its own cache is counted as `served_by.gateway`: it costs nothing, and saves\n\
         what it would have cost. This is what tells a hit, and what is sent to ask for none (`cache = false` of a\n\
         [route](profile.md)); every such header is sent, since each gateway ignores those of the others. A header's value\n\
         counts if it begins with the word, in any case.\n\n\
         Where a hit is counted as zero tokens, what it would have cost is estimated. What gateways say of cost, of their\n\
         own overhead and of their retries is not read.\n\n\
         | gateway | a hit is told by | it is asked for none by | learned from |\n|---|---|---|---|\n",
    );
    for gateway in &GATEWAYS {
        let opt_out = match gateway.opt_out {
            OptOut::Header(name, value) => format!("`{name}: {value}`"),
            OptOut::NoHeader(instead) => format!("no header; {instead}"),
        };
        writeln!(text, "| {} | {} | {opt_out} | {} |", gateway.name, told_by(gateway.hit), gateway.learned).unwrap();
    }
    text.push_str(
        "\nThis table is made from `src/route/gateway.rs`; a test fails when it is stale and says how to renew it.\n",
    );
    text
}

fn told_by(hit: Signal) -> String {
    match hit {
        Signal::Presence(name) => format!("`{name}`, which a miss has not"),
        Signal::Beginning(name, words) => {
            let words: Vec<_> = words.iter().map(|word| word.to_uppercase()).collect();
            format!("`{name}: {}`", words.join("` or `"))
        }
        Signal::Id(id) => format!("`\"id\": \"{id}\"` in the body"),
        Signal::CacheDebug => "`extra_fields.cache_debug.cache_hit` in the body".into(),
        Signal::NoUsageInEpisode => "usage of 0 in a body with an `episode_id`".into(),
    }
}
