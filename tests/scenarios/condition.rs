//! Conditions on a report's JSON: `100 <= latency_ms.connect.p50 < 112`, `attempts.total == simulated.gateway.requests`.
//! Must not know how the report came about.
//!
//! ```text
//! condition = sum { (== | != | < | <= | > | >=) sum }
//! sum       = product { (+ | -) product }
//! product   = term { (* | /) term }
//! term      = number | "text" | true | false | null | path | ( sum )
//! path      = key { . key }       a key with dots is quoted: models."gpt-4.1".count; `*` sums over a list or table
//! ```

use std::fmt;

use serde_json::Value as Json;

/// Sums of money and means of times are exact but for the last digits of a float.
const RELATIVE: f64 = 1e-10;

/// Whether the condition holds of `facts`; if not, what its paths are.
pub fn check(condition: &str, facts: &Json) -> Result<(), String> {
    let tokens = lex(condition).map_err(|why| format!("`{condition}`: {why}"))?;
    let mut parser = Parser { tokens: &tokens, at: 0, facts, seen: Vec::new() };
    match parser.comparison() {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("`{condition}` does not hold: {}", parser.seen.join(", "))),
        Err(why) => Err(format!("`{condition}`: {why}")),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Number(f64),
    Text(String),
    Bool(bool),
    Null,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bool(fact) => fact.fmt(f),
            Self::Null => f.write_str("null"),
        }
    }
}

impl Value {
    fn number(self) -> Result<f64, String> {
        match self {
            Self::Number(number) => Ok(number),
            other => Err(format!("{other} is no number")),
        }
    }

    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => (a - b).abs() <= RELATIVE * a.abs().max(b.abs()),
            _ => self == other,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Value(Value),
    Path(Vec<String>),
    Sign(&'static str),
}

/// The longer ones first.
const SIGNS: [&str; 12] = ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")"];

fn lex(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let token;
        (token, rest) = if first.is_ascii_digit() {
            let (digits, rest) = split_while(rest, |c| c.is_ascii_digit() || "._e".contains(c));
            let number = digits.replace('_', "").parse().map_err(|_| format!("{digits} is no number"))?;
            (Token::Value(Value::Number(number)), rest)
        } else if first == '"' {
            let (text, rest) = quoted(rest)?;
            (Token::Value(Value::Text(text)), rest)
        } else if first.is_alphabetic() {
            path(rest)?
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| format!("cannot be read from `{rest}` on"))?;
            (Token::Sign(sign), &rest[sign.len()..])
        };
        tokens.push(token);
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn path(mut rest: &str) -> Result<(Token, &str), String> {
    let mut keys = Vec::new();
    loop {
        let key;
        (key, rest) = match rest.chars().next() {
            Some('"') => quoted(rest)?,
            Some('*') => ("*".to_owned(), &rest[1..]),
            _ => {
                let (key, rest) = split_while(rest, |c| c.is_alphanumeric() || c == '_' || c == '-');
                (key.to_owned(), rest)
            }
        };
        keys.push(key);
        match rest.strip_prefix('.') {
            Some(further) => rest = further,
            None => break,
        }
    }
    let token = match keys.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["true"] => Token::Value(Value::Bool(true)),
        ["false"] => Token::Value(Value::Bool(false)),
        ["null"] => Token::Value(Value::Null),
        _ => Token::Path(keys),
    };
    Ok((token, rest))
}

fn quoted(text: &str) -> Result<(String, &str), String> {
    let (inside, rest) = text[1..].split_once('"').ok_or("a quote is not closed")?;
    Ok((inside.to_owned(), rest))
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    facts: &'a Json,
    /// Each path met and its value.
    seen: Vec<String>,
}

impl Parser<'_> {
    fn comparison(&mut self) -> Result<bool, String> {
        let mut left = self.sum()?;
        let mut holds = true;
        let mut compared = false;
        while let Some(sign) = self.sign(&["==", "!=", "<=", ">=", "<", ">"]) {
            let right = self.sum()?;
            holds &= match sign {
                "==" => left.equals(&right),
                "!=" => !left.equals(&right),
                order => in_order(left.number()?, order, right.clone().number()?),
            };
            left = right;
            compared = true;
        }
        match self.tokens.get(self.at) {
            Some(token) => Err(format!("{token:?} is one too many")),
            None if !compared => Err("nothing is compared".into()),
            None => Ok(holds),
        }
    }

    fn sum(&mut self) -> Result<Value, String> {
        let mut sum = self.product()?;
        while let Some(sign) = self.sign(&["+", "-"]) {
            let (a, b) = (sum.number()?, self.product()?.number()?);
            sum = Value::Number(if sign == "+" { a + b } else { a - b });
        }
        Ok(sum)
    }

    fn product(&mut self) -> Result<Value, String> {
        let mut product = self.term()?;
        while let Some(sign) = self.sign(&["*", "/"]) {
            let (a, b) = (product.number()?, self.term()?.number()?);
            product = Value::Number(if sign == "*" { a * b } else { a / b });
        }
        Ok(product)
    }

    fn term(&mut self) -> Result<Value, String> {
        if self.sign(&["("]).is_some() {
            let inside = self.sum()?;
            return self.sign(&[")"]).map(|_| inside).ok_or_else(|| "a parenthesis is not closed".into());
        }
        let token = self.tokens.get(self.at).ok_or("a value is missing at its end")?;
        self.at += 1;
        match token {
            Token::Value(value) => Ok(value.clone()),
            Token::Path(keys) => {
                let value = look_up(self.facts, keys)?;
                self.seen.push(format!("{} = {value}", keys.join(".")));
                Ok(value)
            }
            Token::Sign(sign) => Err(format!("`{sign}` stands where a value should")),
        }
    }

    fn sign(&mut self, wanted: &[&'static str]) -> Option<&'static str> {
        let Some(Token::Sign(sign)) = self.tokens.get(self.at) else { return None };
        let sign = wanted.iter().find(|one| *one == sign)?;
        self.at += 1;
        Some(sign)
    }
}

fn in_order(a: f64, order: &str, b: f64) -> bool {
    match order {
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        _ => a >= b,
    }
}

/// Tables in which a count that is 0 is absent.
const COUNTS: [&str; 7] = ["errors", "failed", "unsent", "closed", "models", "by_status", "by_model"];

fn look_up(facts: &Json, keys: &[String]) -> Result<Value, String> {
    let mut here = facts;
    for (i, key) in keys.iter().enumerate() {
        if key == "*" {
            return sum_of(here, &keys[i + 1..]);
        }
        let next = match here {
            Json::Array(items) => key.parse().ok().and_then(|at: usize| items.get(at)),
            _ => here.get(key),
        };
        here = match next {
            Some(next) => next,
            None if i > 0 && COUNTS.contains(&keys[i - 1].as_str()) => return Ok(Value::Number(0.0)),
            None => return Err(format!("there is no {}", keys[..=i].join("."))),
        };
    }
    match here {
        Json::Null => Ok(Value::Null),
        Json::Bool(fact) => Ok(Value::Bool(*fact)),
        Json::Number(number) => Ok(Value::Number(number.as_f64().unwrap_or(f64::NAN))),
        Json::String(text) => Ok(Value::Text(text.clone())),
        Json::Array(items) => Ok(Value::Number(items.len() as f64)),
        Json::Object(_) => Err(format!("{} is a table", keys.join("."))),
    }
}

fn sum_of(facts: &Json, rest: &[String]) -> Result<Value, String> {
    let parts: Vec<&Json> = match facts {
        Json::Array(items) => items.iter().collect(),
        Json::Object(table) => table.values().collect(),
        _ => return Err("`*` stands for the items of a list or table".into()),
    };
    let numbers = parts.into_iter().map(|part| look_up(part, rest)?.number());
    Ok(Value::Number(numbers.collect::<Result<Vec<f64>, String>>()?.into_iter().sum()))
}

/// That conditions can fail: a checker that says yes to everything would pass every story.
pub fn tells_right_from_wrong() -> Result<(), String> {
    let facts = serde_json::json!({
        "load": { "sent": 40, "planned": 40 }, "errors": { "429": 3 }, "stop": "finished", "p50": 1.5, "none": null,
        "models": { "gpt-4.1": { "count": 7 } }, "series": [{ "sent": 1 }, { "sent": 2 }],
    });
    let right = [
        "load.sent == load.planned",
        "39 < load.sent <= 40",
        "errors.429 + errors.500 == 3",
        "none == null",
        "stop == \"finished\"",
        "models.\"gpt-4.1\".count * 2 == 14",
        "series.*.sent == 3",
        "series == 2",
        "(load.sent - 10) / 3 == 10",
        "models.other.count == 0",
        "0.1 + 0.2 == 0.3",
    ];
    let wrong = [
        "load.sent == 41",
        "40 < load.sent < 50",
        "load.typo == 0",
        "stop == \"budget\"",
        "load.sent",
        "p50 < none",
        "load.sent == ",
        "load.sent = 40",
        "1 == 1 1",
        "(1 == 1",
    ];
    right.iter().try_for_each(|condition| check(condition, &facts))?;
    match wrong.iter().find(|condition| check(condition, &facts).is_ok()) {
        Some(condition) => Err(format!("`{condition}` should not hold")),
        None => Ok(()),
    }
}
