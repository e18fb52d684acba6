//! `GET /models`: whether the key is taken, and what the answer tells of a wrong address.
//! Must not know calls.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::call::Calls;
use super::finding::Note;
use super::site::{LONGEST, Site};
use super::way::header_of;
use crate::profile::nearest;
use crate::route::{Failure, FailureKind, Fetched, Tongue};

const PATH: &str = "/models";

/// What the endpoint told beside the list.
#[derive(Default)]
pub struct Told {
    /// The models it lists; `None`: it has no list.
    pub names: Option<Vec<String>>,
    pub clock: Option<ServerClock>,
}

/// A server's clock beside ours.
#[derive(Clone, Debug)]
pub struct ServerClock {
    pub route: String,
    pub server: SystemTime,
    /// When the answer was here.
    pub local: SystemTime,
    pub took: Duration,
}

/// Names in a list of models, in the shapes there are.
struct List {
    names: Vec<String>,
    /// Only the first page.
    is_cut: bool,
}

pub async fn models(site: &Site<'_>, calls: Calls) -> (Vec<Note>, Option<Told>) {
    let deadline = Instant::now() + LONGEST;
    let fetched = match site.endpoint.get(PATH, deadline).await {
        Ok(fetched) => fetched,
        Err(failure) => return (vec![unanswered(site, &failure).await], None),
    };
    let clock = fetched.date.map(|server| ServerClock {
        route: site.name.to_owned(),
        server,
        local: SystemTime::now(),
        took: fetched.took,
    });
    let list = List::read(&fetched);
    let note = match &list {
        Some(list) => listed(site, list),
        None => refused(site, &fetched, calls, deadline).await,
    };
    let note = note.took(fetched.took).fact("http_status", fetched.status);
    let names = list.map(|list| list.names);
    (vec![note], Some(Told { names, clock }))
}

impl List {
    /// `{"data": [{"id": …}]}` of OpenAI and Anthropic, a bare list (Together), `{"models": [{"name": …}]}`.
    fn read(fetched: &Fetched) -> Option<Self> {
        if fetched.status != 200 {
            return None;
        }
        let answer: Value = serde_json::from_slice(&fetched.body).ok()?;
        let items = [Some(&answer), answer.get("data"), answer.get("models")];
        let items = items.into_iter().flatten().find_map(Value::as_array)?;
        let name = |item: &Value| {
            let name = item.get("id").or_else(|| item.get("name")).unwrap_or(item);
            name.as_str().map(str::to_owned)
        };
        let is_cut = answer.get("has_more") == Some(&Value::Bool(true));
        Some(Self { names: items.iter().filter_map(name).collect(), is_cut })
    }
}

fn listed(site: &Site<'_>, list: &List) -> Note {
    let count = match (list.names.len(), list.is_cut) {
        (n, true) => format!("the first {n} models listed"),
        (1, false) => "1 model listed".to_owned(),
        (n, false) => format!("{n} models listed"),
    };
    let (there, missing): (Vec<&str>, Vec<&str>) =
        site.models.iter().copied().partition(|model| list.names.iter().any(|name| name == model));
    let note = if missing.is_empty() {
        let listed = if list.names.len() == 1 { ": " } else { ", among them " };
        Note::ok(format!("{count}{listed}{}", there.join(", ")))
    } else if list.is_cut || serves_any(site) {
        Note::ok(format!("{count}, not {}", missing.join(", ")))
    } else {
        let meant = missing.iter().find_map(|model| nearest(model, list.names.iter().map(String::as_str)));
        let meant = meant.map(|name| format!("did you mean \"{name}\"? ")).unwrap_or_default();
        let mend = format!("{meant}a gateway may serve what it does not list: a call tells");
        Note::warn(format!("{count}, not {}", missing.join(", ")), mend)
    };
    note.fact("listed", list.names.len()).fact("missing", missing)
}

/// A simulated route without a list of its own names a few of those it serves: any.
fn serves_any(site: &Site<'_>) -> bool {
    site.route.simulate.as_ref().is_some_and(|simulated| simulated.models.is_empty())
}

async fn unanswered(site: &Site<'_>, failure: &Failure) -> Note {
    // Whoever speaks TLS there does not take plain words in silence.
    let otherwise = match failure.kind {
        FailureKind::Timeout => None,
        _ => in_another_tongue(site).await,
    };
    match otherwise {
        Some(note) => note,
        None => {
            let mend =
                format!("it takes connections, but does not answer GET {PATH}: see its log, and {}", site.address);
            Note::of_error(&failure.detail).or_mend(&mend)
        }
    }
}

/// Plain HTTP to a port that speaks TLS.
async fn in_another_tongue(site: &Site<'_>) -> Option<Note> {
    if site.probe.is_secure() || site.proxy.is_some() {
        return None;
    }
    let resolved = site.probe.resolve().await.ok()?;
    let tongue = site.probe.speaks_otherwise(*resolved.addresses().first()?).await;
    (tongue == Some(Tongue::Https))
        .then(|| Note::fail("that port speaks TLS, and not plain HTTP", format!("write https:// in {}", site.address)))
}

/// An answer that is no list of models.
async fn refused(site: &Site<'_>, fetched: &Fetched, calls: Calls, deadline: Instant) -> Note {
    let (said, status) = (&fetched.said, fetched.status);
    match status {
        300..=399 => redirected(site, fetched),
        401 => Note::fail(said, key_mend(site)),
        // A key may be allowed to call and not to list.
        403 if calls == Calls::Made => {
            Note::warn(said, "this key may not list models; the call tells whether it may call")
        }
        403 => Note::fail(said, key_mend(site)),
        400 => in_another_tongue(site).await.unwrap_or_else(|| no_list(said)),
        500.. if status != 501 => Note::fail(said, "the provider is in trouble: see its status page, and try again"),
        429 => Note::warn(said, "the key is at its rate limit already: what else uses it?"),
        _ => elsewhere(site, fetched, deadline).await,
    }
}

fn key_mend(site: &Site<'_>) -> String {
    let header = header_of(site.dialect);
    match (&site.route.api_key_env, site.sends_key) {
        (Some(variable), true) => format!(
            "check the key in {variable}: of this provider, whole, still valid; it was sent as {header}, which is what \
             dialect = \"{}\" says",
            site.dialect.name()
        ),
        _ => "it wants a key: put it into an environment variable, and name that in api_key_env (--api-key-env)".into(),
    }
}

fn redirected(site: &Site<'_>, fetched: &Fetched) -> Note {
    let to = fetched.location.as_deref().unwrap_or("nowhere");
    let mend = match to.strip_suffix(PATH) {
        Some(base) if base.starts_with("http") => format!("{} should be \"{base}\"", site.address),
        _ => format!("set {} to the final address", site.address),
    };
    Note::fail(format!("{} redirects to {to}, and calls do not follow", fetched.status), mend)
}

fn no_list(said: &str) -> Note {
    Note::warn(said, "skipped: this endpoint gives no list of models; the call tells whether it answers")
}

/// Nothing there: the endpoint has no list, or the address is wrong.
async fn elsewhere(site: &Site<'_>, fetched: &Fetched, deadline: Instant) -> Note {
    let said = if fetched.is_html { format!("{} with a web page", fetched.status) } else { fetched.said.clone() };
    if has_version(&site.base_url) {
        return match fetched.is_html {
            true => Note::warn(said, format!("no API answers there: check the host and path of {}", site.address)),
            false if matches!(fetched.status, 404 | 405 | 501) => {
                Note::warn(said, "this endpoint has no /models; skipped")
            }
            false => no_list(&said),
        };
    }
    let versioned = format!("{}/v1", site.base_url.trim_end_matches('/'));
    let tried = site.endpoint.get(&format!("/v1{PATH}"), deadline).await;
    if tried.is_ok_and(|there| List::read(&there).is_some() || (there.status == 401 && !there.is_html)) {
        let mend = format!("the version is missing: {} should be \"{versioned}\"", site.address);
        return Note::fail(format!("{said}; {versioned}{PATH} answers"), mend);
    }
    Note::warn(said, format!("is the version missing, such as \"{versioned}\", in {}?", site.address))
}

/// A segment such as `v1`, `v1beta` or `v4`.
fn has_version(base_url: &str) -> bool {
    let path = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    path.split('/')
        .skip(1)
        .any(|segment| segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_segment_of_the_path() {
        for (url, versioned) in [
            ("https://api.example.com/v1", true),
            ("https://api.example.com/api/v4/", true),
            ("https://host/v1beta/openai", true),
            ("https://v1.example.com", false),
            ("https://api.example.com/", false),
            ("https://api.example.com/versions", false),
        ] {
            assert_eq!(has_version(url), versioned, "{url}");
        }
    }

    #[test]
    fn every_shape_of_a_list_gives_its_names() {
        let read = |body: &str| {
            let fetched = Fetched {
                status: 200,
                said: String::new(),
                location: None,
                is_html: false,
                date: None,
                took: Duration::ZERO,
                body: body.to_owned().into(),
            };
            List::read(&fetched).map(|list| (list.names.join(","), list.is_cut))
        };
        assert_eq!(read(r#"{"object":"list","data":[{"id":"a"},{"id":"b"}]}"#), Some(("a,b".into(), false)));
        assert_eq!(read(r#"{"data":[{"type":"model","id":"a"}],"has_more":true}"#), Some(("a".into(), true)));
        assert_eq!(read(r#"[{"id":"a"}]"#), Some(("a".into(), false)));
        assert_eq!(read(r#"{"models":[{"name":"a"}]}"#), Some(("a".into(), false)));
        assert_eq!(read(r#"{"data":[]}"#), Some((String::new(), false)));
        for no_list in ["<html>", "{}", r#"{"data":"x"}"#, ""] {
            assert_eq!(read(no_list), None, "{no_list}");
        }
    }
}
