//! A request of Anthropic's messages as a model takes it: how much is asked for, and what of it is to be cached.
//! Must not know how it is answered.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::ask::{self, Ask, CacheControl, Content, LONGEST_ANSWER, Message, Part};
use super::prompt_cache::{Beginning, HOUR};
use crate::profile::PromptCache;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    max_tokens: Option<u64>,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    #[serde(borrow, default)]
    system: Option<Content<'a>>,
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
    #[serde(default)]
    temperature: Option<f64>,
    #[serde(default)]
    stream: Option<bool>,
    /// At the top: of the last block there is.
    #[serde(borrow, default)]
    cache_control: Option<CacheControl<'a>>,
    // What only OpenAI's dialect has: the interface takes no field it does not know.
    #[serde(default)]
    seed: Option<IgnoredAny>,
    #[serde(default)]
    response_format: Option<IgnoredAny>,
    #[serde(default)]
    stream_options: Option<IgnoredAny>,
    #[serde(default)]
    max_completion_tokens: Option<IgnoredAny>,
}

/// The error says what is wrong with the body. `cache`: the provider's, if it has one.
pub(super) fn parse(body: &[u8], cache: Option<&PromptCache>) -> Result<Ask, String> {
    let body: Body = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    body.check()?;
    let most = body.max_tokens.ok_or("max_tokens: Field required")?.min(LONGEST_ANSWER);
    let seed = body.seed();
    let wanted = ask::wanted_tokens(&body.messages, seed);
    let system: usize = texts(body.system.as_ref()).map(|text| text.chars().count()).sum();
    Ok(Ask {
        prompt_tokens: ask::tokens(system + ask::chars(&body.messages)),
        output_tokens: wanted.clamp(1, most),
        cut_short: wanted > most,
        stream: body.stream.unwrap_or(false),
        include_usage: true,
        seed,
        beginnings: cache.map_or_else(Vec::new, |cache| body.beginnings(cache)),
        model: body.model.into_owned(),
    })
}

impl Body<'_> {
    fn check(&self) -> Result<(), String> {
        let foreign = [
            ("seed", self.seed),
            ("response_format", self.response_format),
            ("stream_options", self.stream_options),
            ("max_completion_tokens", self.max_completion_tokens),
        ];
        if let Some((name, _)) = foreign.iter().find(|(_, field)| field.is_some()) {
            return Err(format!("{name}: Extra inputs are not permitted"));
        }
        if self.max_tokens == Some(0) {
            return Err("max_tokens: Input should be greater than or equal to 1".into());
        }
        if self.messages.is_empty() {
            return Err("messages: at least one message is required".into());
        }
        if let Some(message) = self.messages.iter().find(|message| !["user", "assistant"].contains(&&*message.role)) {
            let role = &message.role;
            return Err(format!(
                "messages: Unexpected role \"{role}\". The Messages API takes a top-level `system` parameter, and \
                 \"user\" and \"assistant\" as roles."
            ));
        }
        match self.temperature {
            Some(temperature) if !(0.0..=1.0).contains(&temperature) => Err("temperature: range: 0..1".into()),
            _ => Ok(()),
        }
    }

    fn seed(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.model.hash(&mut hasher);
        texts(self.system.as_ref()).for_each(|text| text.hash(&mut hasher));
        ask::hash_messages(&self.messages, &mut hasher);
        hasher.finish()
    }

    /// Each block ends one, in the order of the interface: tools, system, messages. Those that are marked are kept.
    fn beginnings(&self, cache: &PromptCache) -> Vec<Beginning> {
        let mut walk = Walk::of(&self.model, cache);
        self.tools.map(RawValue::get).hash(&mut walk.hasher);
        walk.content(self.system.as_ref());
        for message in &self.messages {
            message.role.hash(&mut walk.hasher);
            walk.content(message.content.as_ref());
        }
        if let (Some(mark), Some(last)) = (&self.cache_control, walk.found.last_mut()) {
            last.kept_for = last.kept_for.or(Some(kept_for(mark, cache)));
        }
        walk.found
    }
}

fn texts<'a>(content: Option<&'a Content<'_>>) -> impl Iterator<Item = &'a str> {
    let (whole, parts) = match content {
        Some(Content::Text(text)) => (Some(&**text), &[][..]),
        Some(Content::Parts(parts)) => (None, &parts[..]),
        None => (None, &[][..]),
    };
    whole.into_iter().chain(parts.iter().filter_map(|part| part.text.as_deref()))
}

fn kept_for(mark: &CacheControl<'_>, cache: &PromptCache) -> Duration {
    if mark.ttl.as_deref() == Some("1h") { HOUR } else { cache.ttl }
}

struct Walk<'a> {
    cache: &'a PromptCache,
    hasher: DefaultHasher,
    chars: usize,
    found: Vec<Beginning>,
}

impl<'a> Walk<'a> {
    fn of(model: &str, cache: &'a PromptCache) -> Self {
        let mut hasher = DefaultHasher::new();
        model.hash(&mut hasher);
        Self { cache, hasher, chars: 0, found: Vec::new() }
    }

    fn content(&mut self, content: Option<&Content<'_>>) {
        match content {
            Some(Content::Text(text)) => self.block(text, None),
            Some(Content::Parts(parts)) => parts.iter().for_each(|Part { text, cache_control }| {
                self.block(text.as_deref().unwrap_or_default(), cache_control.as_ref());
            }),
            None => {}
        }
    }

    fn block(&mut self, text: &str, mark: Option<&CacheControl<'_>>) {
        text.hash(&mut self.hasher);
        self.chars += text.chars().count();
        self.found.push(Beginning {
            hash: self.hasher.clone().finish(),
            tokens: ask::tokens(self.chars),
            kept_for: mark.map(|mark| kept_for(mark, self.cache)),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(rest: &str) -> Result<Ask, String> {
        let body = format!(
            r#"{{"model":"m","max_tokens":50,"messages":[{{"role":"user","content":"Answer in about 7 tokens."}}]{rest}}}"#
        );
        parse(body.as_bytes(), Some(&PromptCache { min_tokens: 1, ..PromptCache::default() }))
    }

    #[test]
    fn the_system_part_counts_and_the_length_asked_for_holds() {
        let ask = asked("").unwrap();
        assert_eq!((ask.prompt_tokens, ask.output_tokens, ask.cut_short, ask.stream), (7, 7, false, false));
        let ask = asked(r#","system":"12345678","stream":true"#).unwrap();
        assert_eq!((ask.prompt_tokens, ask.stream), (9, true));
        assert_eq!(
            asked(r#","system":[{"type":"text","text":"1234"},{"type":"text","text":"5678"}]"#).unwrap().prompt_tokens,
            9
        );
    }

    #[test]
    fn what_the_interface_does_not_take_is_refused_in_its_words() {
        for (rest, says) in [
            (r#","seed":1"#, "seed: Extra inputs are not permitted"),
            (r#","response_format":{}"#, "response_format: Extra inputs"),
            (r#","temperature":1.5"#, "temperature: range: 0..1"),
        ] {
            assert!(asked(rest).unwrap_err().starts_with(says), "{rest}");
        }
        asked(r#","temperature":1.0,"metadata":{"user_id":"u"},"top_k":5"#).unwrap();
        let refused = |body: &str| parse(body.as_bytes(), None).unwrap_err();
        let user = r#"{"role":"user","content":"a"}"#;
        assert_eq!(refused(&format!(r#"{{"model":"m","messages":[{user}]}}"#)), "max_tokens: Field required");
        assert!(
            refused(&format!(r#"{{"model":"m","max_tokens":0,"messages":[{user}]}}"#)).starts_with("max_tokens: Input")
        );
        assert!(refused(r#"{"model":"m","max_tokens":1,"messages":[]}"#).starts_with("messages: at least one"));
        let system = r#"{"model":"m","max_tokens":1,"messages":[{"role":"system","content":"a"}]}"#;
        assert!(refused(system).starts_with(r#"messages: Unexpected role "system""#));
    }

    #[test]
    fn marks_are_found_at_the_top_and_on_blocks_and_say_how_long() {
        let kept = |rest: &str| {
            asked(rest)
                .unwrap()
                .beginnings
                .iter()
                .map(|one| (one.tokens, one.kept_for.map(|t| t.as_secs())))
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(""), [(7, None)]);
        assert_eq!(kept(r#","cache_control":{"type":"ephemeral"}"#), [(7, Some(300))]);
        let system = r#","system":[{"type":"text","text":"1234","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"5678"}]"#;
        assert_eq!(kept(system), [(1, Some(3600)), (2, None), (9, None)]);
    }
}
