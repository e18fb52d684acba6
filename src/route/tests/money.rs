//! What vendors' words about tokens come to in money, at the prices of the built-in book. Who counts what the prompt
//! cache served inside the input, and who beside it, is the difference between a right bill and one off by half.

use super::server::{Server, answer};
use super::{ask, config, local, messages};
use crate::chat::Lane;
use crate::cost::{PriceBook, Pricer};
use crate::metrics::Tokens;
use crate::profile::{Dialect, Pool, Profile};
use crate::route::Endpoint;

/// USD of one answer of `model` with this `usage`.
async fn usd(dialect: Dialect, model: &str, usage: &str) -> f64 {
    let body = match dialect {
        Dialect::Openai => format!(r#"{{"choices":[{{"message":{{"content":"a"}}}}],"usage":{usage}}}"#),
        Dialect::Anthropic => format!(r#"{{"content":[{{"type":"text","text":"a"}}],"usage":{usage}}}"#),
    };
    let server = Server::always(answer("200 OK", "", &body)).await;
    let made = if dialect == Dialect::Openai { config } else { messages };
    let endpoint = Endpoint::new(made(&server.base_url), &Pool::default()).unwrap();
    let mut tokens = Tokens::default();
    tokens.add(&ask(&endpoint).await.result.unwrap().usage);
    let pricer = Pricer::new(&Profile::default(), PriceBook::builtin());
    pricer.price(&Lane { model: model.into(), route: "any".into() }).usd(&tokens)
}

#[test]
fn each_vendors_usage_costs_what_its_price_list_says() {
    use Dialect::{Anthropic, Openai};
    #[rustfmt::skip]
    let bills = [
        // OpenAI: cached inside. gpt-4.1 is 2 / 0.5 / 8: 400,000 x 2 + 600,000 x 0.5 + 100,000 x 8.
        (Openai, "gpt-4.1", r#"{"prompt_tokens":1000000,"completion_tokens":100000,"prompt_tokens_details":{"cached_tokens":600000}}"#, 0.80 + 0.30 + 0.80),
        // OpenAI with priced writes, inside too. gpt-5.6-sol is 4 / 0.4 / 20, write 5: 100,000 x 4 + 600,000 x 0.4 + 300,000 x 5 + 10,000 x 20.
        (Openai, "gpt-5.6-sol", r#"{"prompt_tokens":1000000,"completion_tokens":10000,"prompt_tokens_details":{"cached_tokens":600000,"cache_write_tokens":300000}}"#, 0.40 + 0.24 + 1.50 + 0.20),
        // DeepSeek: hit + miss = prompt_tokens. deepseek-flash is 0.3 / 0.006 / 1.2: 250,000 x 0.3 + 750,000 x 0.006 + 50,000 x 1.2.
        (Openai, "deepseek-flash", r#"{"prompt_tokens":1000000,"completion_tokens":50000,"prompt_cache_hit_tokens":750000,"prompt_cache_miss_tokens":250000}"#, 0.075 + 0.0045 + 0.06),
        // Claude through LiteLLM: all inside. claude-sonnet-5-5 is 2 / 0.1 / 10, write 2.5: 100,000 x 2 + 700,000 x 0.1 + 200,000 x 2.5 + 20,000 x 10.
        (Openai, "claude-sonnet-5-5", r#"{"prompt_tokens":1000000,"completion_tokens":20000,"prompt_tokens_details":{"cached_tokens":700000},"cache_creation_input_tokens":200000,"cache_read_input_tokens":700000}"#, 0.20 + 0.07 + 0.50 + 0.20),
        // The same million by Anthropic itself: beside.
        (Anthropic, "claude-sonnet-5-5", r#"{"input_tokens":100000,"cache_read_input_tokens":700000,"cache_creation_input_tokens":200000,"output_tokens":20000}"#, 0.20 + 0.07 + 0.50 + 0.20),
        // A quarter of the writes for an hour, at twice the input: 150,000 x 2.5 + 50,000 x 4.
        (Anthropic, "claude-sonnet-5-5", r#"{"input_tokens":100000,"cache_read_input_tokens":700000,"cache_creation_input_tokens":200000,"cache_creation":{"ephemeral_5m_input_tokens":150000,"ephemeral_1h_input_tokens":50000},"output_tokens":20000}"#, 0.20 + 0.07 + 0.375 + 0.20 + 0.20),
        // Without a cache. claude-haiku-4-5 is 1 / 0.1 / 5.
        (Anthropic, "claude-haiku-4-5-20251001", r#"{"input_tokens":1000000,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens":100000}"#, 1.00 + 0.50),
        // DeepSeek's endpoint in Anthropic's dialect.
        (Anthropic, "deepseek-flash", r#"{"input_tokens":250000,"cache_read_input_tokens":750000,"output_tokens":50000}"#, 0.075 + 0.0045 + 0.06),
    ];
    for (dialect, model, usage, expected) in bills {
        local(async move {
            let usd = usd(dialect, model, usage).await;
            assert!((usd - expected).abs() < 1e-9, "{model}: {usd} is not {expected} for {usage}");
        });
    }
}
