//! A JSONL file of prompts: each line a list of messages, or an object with `messages` and other request fields.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::chat::Canonical;

#[derive(Debug, thiserror::Error)]
pub enum PromptFileError {
    #[error("{}: {source}; check workload.prompts.path", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}:{line}: {problem}", path.display())]
    Line { path: PathBuf, line: usize, problem: String },
    #[error("{}: no prompt in it; write one JSON list of messages a line", path.display())]
    Empty { path: PathBuf },
}

/// A line of the file: what replaces the generated part of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePrompt {
    pub messages: Canonical,
    pub tools: Option<Canonical>,
    pub response_format: Option<Canonical>,
    pub top_p: Option<f64>,
    pub seed: Option<i64>,
}

impl FilePrompt {
    /// Bytes of what the model reads.
    pub fn bytes(&self) -> usize {
        let optional = [&self.tools, &self.response_format].into_iter().flatten();
        self.messages.as_str().len() + optional.map(|json| json.as_str().len()).sum::<usize>()
    }
}

/// Reads a JSONL file, each line by `parse`; errors carry the line.
pub fn read_lines<T>(path: &Path, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, PromptFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| PromptFileError::Unreadable { path: path.to_owned(), source })?;
    let lines: Vec<T> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(i, line)| {
            parse(line).map_err(|problem| PromptFileError::Line { path: path.to_owned(), line: i + 1, problem })
        })
        .collect::<Result<_, _>>()?;
    if lines.is_empty() { Err(PromptFileError::Empty { path: path.to_owned() }) } else { Ok(lines) }
}

/// One line of a prompt file.
pub fn parse(line: &str) -> Result<FilePrompt, String> {
    let value: Value = serde_json::from_str(line).map_err(|e| format!("no JSON: {e}"))?;
    let object = match &value {
        Value::Array(_) => serde_json::Map::from_iter([("messages".to_owned(), value)]),
        Value::Object(object) => object.clone(),
        _ => return Err("a line is a list of messages or an object with `messages`".into()),
    };
    let messages =
        object.get("messages").ok_or("`messages` is missing; write [{\"role\":\"user\",\"content\":\"…\"}]")?;
    let is_message = |m: &Value| m.get("role").is_some_and(Value::is_string);
    if !messages.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(is_message)) {
        return Err("`messages` must be a list of objects with `role` and `content`".into());
    }
    let known =
        ["messages", "tools", "response_format", "top_p", "seed", "model", "temperature", "max_tokens", "stream"];
    if let Some(unknown) = object.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("unknown key `{unknown}`; a line takes messages, tools, response_format, top_p and seed"));
    }
    let canonical = |key: &str| object.get(key).map(Canonical::from_value);
    Ok(FilePrompt {
        messages: Canonical::from_value(messages),
        tools: canonical("tools"),
        response_format: canonical("response_format"),
        top_p: object.get("top_p").and_then(Value::as_f64),
        seed: object.get("seed").and_then(Value::as_i64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_list_of_messages_or_an_object_with_them() {
        let list = parse(r#"[{"role":"user","content":"hi"}]"#).unwrap();
        let object = parse(r#"{"messages":[{"content":"hi","role":"user"}],"top_p":0.5}"#).unwrap();
        assert_eq!(list.messages, object.messages);
        assert_eq!(object.top_p, Some(0.5));
    }

    #[test]
    fn a_wrong_line_is_named_with_its_number_and_its_mend() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[{\"role\":\"user\",\"content\":\"hi\"}]\n\n{\"prompt\":\"hi\"}\n").unwrap();
        let error = read_lines(file.path(), parse).unwrap_err().to_string();
        assert!(error.contains(":3: `messages` is missing; write"), "{error}");
    }
}
