//! What a person sees who writes `[compare]`.

use super::*;

#[test]
fn what_cannot_be_compared_is_refused_at_its_line() {
    for (text, expected) in [
        ("[compare]\narms = [ { name = \"a\", set = {} } ]", "= 1 is too few: a comparison takes two or more"),
        ("[compare]\nblocks = 7\narms = []", "compare.blocks = 7 is odd"),
        ("[compare]\nblock = \"1ms\"\narms = []", "compare.block is below 100ms"),
        ("[compare]\nmetrics = [\"p98\"]\narms = []", "there is no metric p98"),
        ("[compare]\ntolerance = \"a lot\"\narms = []", "a tolerance takes a share such as 1% or 0.01"),
        ("[compare]\ntolerance = { p99 = \"2ms\" }\narms = []", "the tolerance of response.p99 takes a share"),
        ("[compare]\nuntil = \"0%\"\narms = []", "write one such as \"5%\""),
        ("[compare]\nblocks = 10\nuntil = \"5%\"\narms = []", "raise compare.blocks to 12 or more"),
        ("[compare]\nsweep = { keys = [\"load.users\"], values = [1] }\narms = []", "load.users changes nothing while"),
        ("[compare]\nsweep = { keys = [\"compare.blocks\"], values = [] }\narms = []", "give one value or more"),
    ] {
        says(&refused(text), &[expected, "chat.toml:"]);
    }
}

#[test]
fn arms_are_checked_at_their_key() {
    let arms = |second: &str| {
        format!(
            "{MINIMAL}[compare]\narms = [\n  {{ name = \"a\", set = {{}} }},\n  {{ name = \"b\", set = {{ {second} }} }},\n]\n"
        )
    };
    let loaded = with(&arms("\"stack.pool.max_idle\" = 0"), &[]).unwrap();
    assert_eq!(loaded.arms[1].1.stack.pool.max_idle, 0);
    assert_eq!(loaded.arms[0].1.stack.pool.max_idle, 64);
    says(
        &with(&arms("\"stack.pol.max_idle\" = 0"), &[]).unwrap_err().to_string(),
        &["chat.toml:6: arm \"b\": unknown key `pol`"],
    );
    says(
        &with(&arms("\"stack.concurrency\" = 0"), &[]).unwrap_err().to_string(),
        &["chat.toml:6: arm \"b\": stack.concurrency = 0"],
    );
}

#[test]
fn a_bare_name_is_the_key_that_alone_has_it() {
    assert_eq!(full_key("users").unwrap(), "load.users");
    assert_eq!(full_key("max_connections").unwrap(), "stack.pool.max_connections");
    assert_eq!(full_key("routes.direct.simulate.ttft").unwrap(), "routes.direct.simulate.ttft");
    assert!(full_key("ttl").unwrap_err().contains("stack.cache.local.ttl or stack.cache.redis.ttl"));
    // Of no table, or of one for each route: refused where it is set.
    assert_eq!((full_key("seed").unwrap(), full_key("ttft").unwrap()), ("seed".into(), "ttft".into()));
}
