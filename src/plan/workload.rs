//! Which call is the i-th: its class, its prompt, how long an answer it asks for.

use std::fmt::Write;
use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};

use super::corpus::{CHARS_PER_TOKEN, Corpus};
use super::mix;
use super::prompts::{self, FilePrompt, PromptFileError};
use super::trace::{self, TraceRecord};
use crate::chat::{Canonical, ChatRequest};
use crate::profile::{CachePolicy, Profile, Prompts, Spread};

/// One planned call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub request: ChatRequest,
    pub cache: CachePolicy,
}

/// Makes the i-th call, the same for the same seed, whoever asks for it.
#[derive(Debug)]
pub struct Workload {
    seed: u64,
    corpus: Arc<Corpus>,
    classes: Vec<ClassPlan>,
    stream: bool,
    temperature: f64,
    max_tokens: u32,
}

#[derive(Debug)]
struct ClassPlan {
    /// Running sum of the shares, up to 1.
    until: f64,
    source: Source,
    input_tokens: Spread<u32>,
    output_tokens: Spread<u32>,
    cache: CachePolicy,
}

#[derive(Debug)]
enum Source {
    Zipf(Zipf<f64>),
    Unique,
    Fixed,
    File(Arc<[FilePrompt]>),
    Trace(Arc<[TraceRecord]>),
}

impl Workload {
    /// Reads the prompt files that the profile names.
    pub fn new(profile: &Profile) -> Result<Self, PromptFileError> {
        let workload = &profile.workload;
        let class = |until, prompts: &Prompts, input_tokens, output_tokens, cache| {
            Ok(ClassPlan { until, source: Source::open(prompts)?, input_tokens, output_tokens, cache })
        };
        let classes = if workload.classes.is_empty() {
            let cache = CachePolicy::default();
            vec![class(1.0, &workload.prompts, workload.input_tokens, workload.output_tokens, cache)?]
        } else {
            let total: f64 = workload.classes.iter().map(|c| c.share).sum();
            let mut until = 0.0;
            let plan = |c: &crate::profile::Class| {
                until += c.share / total;
                class(
                    until,
                    c.prompts.as_ref().unwrap_or(&workload.prompts),
                    c.input_tokens.unwrap_or(workload.input_tokens),
                    c.output_tokens.unwrap_or(workload.output_tokens),
                    c.cache,
                )
            };
            workload.classes.iter().map(plan).collect::<Result<_, _>>()?
        };
        Ok(Self {
            seed: profile.seed,
            corpus: Arc::new(Corpus::new()),
            classes,
            stream: workload.stream,
            temperature: workload.temperature,
            max_tokens: workload.max_tokens,
        })
    }

    /// Input tokens that few calls exceed: the longest of a file's or trace's prompts, twice the p95 of generated ones.
    pub fn most_input(&self) -> u32 {
        self.classes.iter().map(ClassPlan::most_input).max().unwrap_or(0)
    }

    /// The i-th call.
    pub fn call(&self, index: u64) -> Call {
        let mut rng = SmallRng::seed_from_u64(mix(&[self.seed, index]));
        let share: f64 = rng.random();
        let at = self.classes.iter().position(|class| share < class.until).unwrap_or(self.classes.len() - 1);
        let class = &self.classes[at];
        let prompt = match &class.source {
            Source::Zipf(zipf) => zipf.sample(&mut rng) as u64 - 1,
            Source::Unique => index,
            Source::Fixed => 0,
            Source::File(lines) => return self.call_of_line(&lines[(index % lines.len() as u64) as usize], class),
            Source::Trace(records) => {
                return self.call_of_record(&records[(index % records.len() as u64) as usize], class);
            }
        };
        let messages = self.generated(at as u64, prompt, class);
        Call { request: self.request(messages), cache: class.cache }
    }

    fn request(&self, messages: Canonical) -> ChatRequest {
        ChatRequest {
            temperature: Some(self.temperature),
            max_tokens: Some(self.max_tokens),
            stream: self.stream,
            ..ChatRequest::new(messages)
        }
    }

    fn call_of_line(&self, line: &FilePrompt, class: &ClassPlan) -> Call {
        let line = line.clone();
        let request = ChatRequest {
            tools: line.tools,
            response_format: line.response_format,
            top_p: line.top_p,
            seed: line.seed,
            ..self.request(line.messages)
        };
        Call { request, cache: class.cache }
    }

    fn call_of_record(&self, record: &TraceRecord, class: &ClassPlan) -> Call {
        let mut text = String::with_capacity(record.input_length as usize * CHARS_PER_TOKEN + 64);
        record.write(&self.corpus, &mut text);
        let _ = write!(text, " Answer in about {} tokens.", record.output_length);
        Call { request: self.request(Canonical::user_message(&text)), cache: class.cache }
    }

    /// Prompt `id` of a class: the same text and the same length of answer each time it is asked. Below some 12
    /// tokens the text is as long as its fixed words.
    fn generated(&self, class: u64, id: u64, plan: &ClassPlan) -> Canonical {
        let mut rng = SmallRng::seed_from_u64(mix(&[self.seed, class, id, 0x9a9]));
        let tokens = |spread: &Spread<u32>, rng: &mut SmallRng| (spread.sample(rng, f64::from).round() as u32).max(1);
        let input = tokens(&plan.input_tokens, &mut rng);
        let output = tokens(&plan.output_tokens, &mut rng);
        let length = input as usize * CHARS_PER_TOKEN;
        let mut text = String::with_capacity(length + 64);
        let mut number = itoa::Buffer::new();
        for part in ["Question ", number.format(id), ": "] {
            text.push_str(part);
        }
        let ending = [" Answer in about ", number.format(output), " tokens."];
        let fixed = text.len() + ending.iter().map(|part| part.len()).sum::<usize>();
        self.corpus.write(rng.random(), length.saturating_sub(fixed), &mut text);
        for part in ending {
            text.push_str(part);
        }
        Canonical::user_message(&text)
    }
}

impl ClassPlan {
    fn most_input(&self) -> u32 {
        match &self.source {
            // A token is hardly ever shorter than three bytes: four letters of English, one character of Chinese.
            Source::File(lines) => lines.iter().map(|line| line.bytes().div_ceil(3) as u32).max().unwrap_or(0),
            Source::Trace(records) => records.iter().map(|record| record.input_length).max().unwrap_or(0),
            Source::Zipf(_) | Source::Unique | Source::Fixed => match self.input_tokens {
                Spread::Fixed(tokens) => tokens,
                Spread::LogNormal { p95, .. } => p95.saturating_mul(2),
            },
        }
    }
}

impl Source {
    fn open(prompts: &Prompts) -> Result<Self, PromptFileError> {
        Ok(match prompts {
            Prompts::Zipf { distinct, exponent } => {
                Self::Zipf(Zipf::new(*distinct as f64, *exponent).expect("validated: distinct >= 1, exponent >= 0"))
            }
            Prompts::Unique => Self::Unique,
            Prompts::Fixed => Self::Fixed,
            Prompts::File { path } => Self::File(prompts::read_lines(path, prompts::parse)?.into()),
            Prompts::Trace { path, .. } => Self::Trace(trace::read(path)?.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::profile::Class;

    fn workload(change: impl FnOnce(&mut Profile)) -> Workload {
        let mut profile = Profile::default();
        change(&mut profile);
        Workload::new(&profile).unwrap()
    }

    fn prompts(workload: &Workload, n: u64) -> Vec<String> {
        (0..n).map(|i| workload.call(i).request.messages.as_str().to_owned()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_prompts_and_another_seed_others() {
        let with = |seed| prompts(&workload(|p| p.seed = seed), 200);
        assert_eq!(with(7), with(7));
        assert_ne!(with(7), with(8));
    }

    #[test]
    fn unique_prompts_never_repeat_and_a_fixed_one_always_does() {
        let unique = prompts(&workload(|p| p.workload.prompts = Prompts::Unique), 2000);
        assert_eq!(unique.iter().collect::<HashSet<_>>().len(), 2000);
        let fixed = prompts(&workload(|p| p.workload.prompts = Prompts::Fixed), 100);
        assert_eq!(fixed.iter().collect::<HashSet<_>>().len(), 1);
    }

    #[test]
    fn zipf_prompts_repeat_as_their_weights_say() {
        let prompts = prompts(&workload(|_| ()), 40_000);
        let of = |id: u64| prompts.iter().filter(|p| p.contains(&format!("Question {id}: "))).count() as f64;
        let harmonic: f64 = (1..=500).map(|k| 1.0 / f64::from(k)).sum();
        assert!((of(0) / 40_000.0 - 1.0 / harmonic).abs() < 0.01);
        assert!((of(0) / of(3) - 4.0).abs() < 0.5);
    }

    #[test]
    fn sizes_have_the_median_and_p95_asked_for() {
        let workload = workload(|p| p.workload.prompts = Prompts::Unique);
        let envelope = Canonical::user_message("").as_str().len();
        let mut tokens: Vec<f64> =
            prompts(&workload, 20_000).iter().map(|p| (p.len() - envelope) as f64 / 4.0).collect();
        tokens.sort_by(f64::total_cmp);
        let (median, p95) = (tokens[10_000], tokens[19_000]);
        assert!((median / 220.0 - 1.0).abs() < 0.03, "{median}");
        assert!((p95 / 900.0 - 1.0).abs() < 0.05, "{p95}");
    }

    #[test]
    fn classes_have_their_shares_and_their_cache_policies() {
        let class = |name: &str, share, on| Class {
            name: name.into(),
            share,
            prompts: None,
            input_tokens: None,
            output_tokens: None,
            cache: CachePolicy { local: on, redis: on, ttl: None },
        };
        let workload = workload(|p| p.workload.classes = vec![class("faq", 3.0, true), class("chat", 1.0, false)]);
        let cached = (0..100_000).filter(|i| workload.call(*i).cache.local).count();
        assert!((74_500..75_500).contains(&cached), "{cached}");
    }
}
