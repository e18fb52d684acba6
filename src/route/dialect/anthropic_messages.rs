//! Messages and tools as profiles and prompt files write them (OpenAI's shape) in Anthropic's words.
//! What is written in Anthropic's shape already stays as it is.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::openai::holds_something;
use crate::chat::write_string;

/// `system`, if there is any, and `messages`, both as JSON.
pub(super) struct Messages<'a> {
    pub(super) system: Option<String>,
    pub(super) messages: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow, default)]
    tool_call_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    function: Called<'a>,
}

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    /// JSON in a string.
    #[serde(default)]
    arguments: String,
}

impl<'a> Messages<'a> {
    /// `given`: canonical JSON. `mark`: the `cache_control` for the last block of `system`.
    pub(super) fn of(given: &'a str, mark: Option<&str>) -> Self {
        const TOLD_OTHERWISE: [&str; 4] =
            [r#""role":"system""#, r#""role":"developer""#, r#""role":"tool""#, r#""tool_calls":"#];
        let as_given = Self { system: None, messages: Cow::Borrowed(given) };
        // Nearly all prompts: what has no such part is said alike in both dialects.
        if !TOLD_OTHERWISE.iter().any(|part| given.contains(part)) {
            return as_given;
        }
        match serde_json::from_str::<Vec<Message<'_>>>(given) {
            Ok(messages) => Self::translated(&messages, given.len(), mark),
            // In a shape of neither dialect: the server may know what to make of it.
            Err(_) => as_given,
        }
    }

    fn translated(given: &[Message<'_>], size: usize, mark: Option<&str>) -> Self {
        let mut system = List::with_capacity(0);
        let mut messages = List::with_capacity(size + 64);
        for message in given {
            match &*message.role {
                "system" | "developer" => blocks(message.content, &mut system),
                "tool" => messages.push(|out| message.put_result(out)),
                _ => messages.push(|out| message.put(out)),
            }
        }
        if let Some(mark) = mark {
            system.mark_last(mark);
        }
        let system = (!system.is_empty()).then(|| system.end());
        Self { system, messages: Cow::Owned(messages.end()) }
    }
}

impl Message<'_> {
    fn put(&self, out: &mut String) {
        out.push_str(r#"{"role":"#);
        write_string(&self.role, out);
        out.push_str(r#","content":"#);
        match (&self.tool_calls, self.content) {
            (Some(calls), content) if !calls.is_empty() => {
                let mut parts = List::with_capacity(256);
                blocks(content, &mut parts);
                calls.iter().for_each(|call| parts.push(|out| call.put(out)));
                out.push_str(&parts.end());
            }
            (_, Some(content)) => out.push_str(content.get()),
            (_, None) => out.push_str("\"\""),
        }
        out.push('}');
    }

    /// What a tool gave back is the user's to say.
    fn put_result(&self, out: &mut String) {
        out.push_str(r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"#);
        out.push_str(self.tool_call_id.map_or("\"\"", RawValue::get));
        if let Some(content) = self.content.filter(|content| holds_something(Some(content))) {
            out.push_str(r#","content":"#);
            out.push_str(content.get());
        }
        out.push_str("}]}");
    }
}

impl ToolCall<'_> {
    fn put(&self, out: &mut String) {
        out.push_str(r#"{"type":"tool_use","id":"#);
        out.push_str(self.id.get());
        out.push_str(r#","name":"#);
        out.push_str(self.function.name.get());
        out.push_str(r#","input":"#);
        let input = serde_json::from_str::<&RawValue>(&self.function.arguments).ok();
        out.push_str(input.filter(|input| input.get().starts_with('{')).map_or("{}", RawValue::get));
        out.push('}');
    }
}

/// Text as a block, a list of parts as its parts.
fn blocks(content: Option<&RawValue>, into: &mut List) {
    let Some(content) = content.filter(|content| holds_something(Some(content))) else { return };
    match serde_json::from_str::<Vec<&RawValue>>(content.get()) {
        Ok(parts) => parts.iter().for_each(|part| into.push(|out| out.push_str(part.get()))),
        Err(_) => into.push(|out| {
            out.push_str(r#"{"type":"text","text":"#);
            out.push_str(content.get());
            out.push('}');
        }),
    }
}

/// A JSON list as it is written.
struct List(String);

impl List {
    fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    fn push(&mut self, put: impl FnOnce(&mut String)) {
        self.0.push(if self.is_empty() { '[' } else { ',' });
        put(&mut self.0);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts `cache_control` into the last item, an object.
    fn mark_last(&mut self, mark: &str) {
        if self.0.ends_with('}') {
            self.0.pop();
            self.0.push_str(r#","cache_control":"#);
            self.0.push_str(mark);
            self.0.push('}');
        }
    }

    fn end(mut self) -> String {
        self.0.push_str(if self.is_empty() { "[]" } else { "]" });
        self.0
    }
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, default)]
    description: Option<&'a RawValue>,
    #[serde(borrow, default)]
    parameters: Option<&'a RawValue>,
}

impl Function<'_> {
    fn put(&self, out: &mut String) {
        out.push_str(r#"{"name":"#);
        out.push_str(self.name.get());
        if let Some(description) = self.description {
            out.push_str(r#","description":"#);
            out.push_str(description.get());
        }
        out.push_str(r#","input_schema":"#);
        out.push_str(self.parameters.map_or(r#"{"type":"object"}"#, RawValue::get));
        out.push('}');
    }
}

/// Functions in OpenAI's shape become tools; anything else stays.
pub(super) fn tools(given: &str) -> Cow<'_, str> {
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(given) else { return Cow::Borrowed(given) };
    let mut list = List::with_capacity(given.len());
    for item in items {
        let function = serde_json::from_str::<Tool<'_>>(item.get()).ok().and_then(|tool| tool.function);
        list.push(|out| match function {
            Some(function) => function.put(out),
            None => out.push_str(item.get()),
        });
    }
    Cow::Owned(list.end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Canonical;

    fn said(messages: &str) -> (Option<String>, String) {
        let canonical = Canonical::from_json(messages).unwrap();
        let Messages { system, messages } = Messages::of(canonical.as_str(), None);
        (system, messages.into_owned())
    }

    #[test]
    fn system_and_developer_messages_are_lifted_wherever_they_stand() {
        let (system, messages) = said(
            r#"[{"role":"system","content":"be \"brief\""},{"role":"user","content":"hi","name":"ann"},
               {"role":"developer","content":[{"type":"text","text":"and kind"}]}]"#,
        );
        assert_eq!(system.unwrap(), r#"[{"type":"text","text":"be \"brief\""},{"text":"and kind","type":"text"}]"#);
        assert_eq!(messages, r#"[{"role":"user","content":"hi"}]"#);
    }

    #[test]
    fn a_prompt_that_is_said_alike_in_both_dialects_is_not_copied() {
        let canonical = Canonical::user_message(r#"say "role":"system" twice"#);
        let Messages { system, messages } = Messages::of(canonical.as_str(), Some("{}"));
        assert!(system.is_none() && matches!(messages, Cow::Borrowed(same) if same == canonical.as_str()));
    }

    #[test]
    fn calls_of_tools_and_their_results_become_blocks() {
        let (system, messages) = said(
            r#"[{"role":"user","content":"weather?"},
               {"role":"assistant","content":"I look.","tool_calls":[{"id":"c1","type":"function","function":{"name":"get","arguments":"{\"at\": \"here\"}"}}]},
               {"role":"tool","tool_call_id":"c1","content":"rain"},
               {"role":"assistant","content":null,"tool_calls":[{"id":"c2","function":{"name":"stop","arguments":""}}]},
               {"role":"tool","tool_call_id":"c2","content":""}]"#,
        );
        assert_eq!(system, None);
        let expected = [
            r#"[{"role":"user","content":"weather?"}"#,
            r#"{"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"c1","name":"get","input":{"at": "here"}}]}"#,
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"rain"}]}"#,
            r#"{"role":"assistant","content":[{"type":"tool_use","id":"c2","name":"stop","input":{}}]}"#,
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"c2"}]}]"#,
        ];
        assert_eq!(messages, expected.join(","));
    }

    #[test]
    fn functions_become_tools_and_tools_stay() {
        let own = r#"{"name":"own","input_schema":{}}"#;
        let given = format!(
            r#"[{{"type":"function","function":{{"name":"get","description":"d","parameters":{{"type":"object","properties":{{}}}},"strict":true}}}},{{"type":"function","function":{{"name":"stop"}}}},{own}]"#
        );
        let expected = format!(
            r#"[{{"name":"get","description":"d","input_schema":{{"type":"object","properties":{{}}}}}},{{"name":"stop","input_schema":{{"type":"object"}}}},{own}]"#
        );
        assert_eq!(tools(&given), expected);
        assert_eq!(tools("{}"), "{}");
    }
}
