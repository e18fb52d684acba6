//! What the lines of a prompt file ask for that a dialect of the chain cannot say.
//! Must not know the rules between values (`validate`): it reads the files they name.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::problem::{KeyPath, Problem};
use super::{Dialect, Profile, Prompts, Route};

/// The fields of a line that Anthropic's dialect has no words for.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Unsaid {
    seed: Option<IgnoredAny>,
    response_format: Option<IgnoredAny>,
}

/// A warning for each file with such lines.
pub fn check(profile: &Profile) -> Vec<Problem> {
    let speaks = |name: &str| profile.routes.get(name).map(Route::spoken);
    let Some((_, route)) = profile.chain().find(|(_, route)| speaks(route) == Some(Dialect::Anthropic)) else {
        return Vec::new();
    };
    let workload = &profile.workload;
    let own = workload.classes.iter().enumerate().filter_map(|(i, class)| {
        let at = KeyPath::from("workload.classes").key(i).key("prompts");
        class.prompts.as_ref().map(|prompts| (at, prompts))
    });
    let prompts = own.chain([(KeyPath::from("workload.prompts"), &workload.prompts)]);
    let warning = |(at, prompts): (KeyPath, &Prompts)| {
        let Prompts::File { path } = prompts else { return None };
        let fields = fields_of(path).join(" and ");
        let message = format!(
            "{at}: lines of {} ask for {fields}, which routes.{route} is not told: Anthropic's dialect has no such field",
            path.display()
        );
        (!fields.is_empty()).then(|| Problem::new(at.key("path"), message))
    };
    prompts.filter_map(warning).collect()
}

fn fields_of(path: &Path) -> Vec<&'static str> {
    // One that cannot be read is said elsewhere.
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut all = Unsaid::default();
    // A line that is a list has nothing but messages.
    for line in text.lines().filter(|line| line.trim_start().starts_with('{')) {
        let Unsaid { seed, response_format } = serde_json::from_str(line).unwrap_or_default();
        all.seed = all.seed.or(seed);
        all.response_format = all.response_format.or(response_format);
    }
    let named = [("response_format", all.response_format), ("seed", all.seed)];
    named.into_iter().filter_map(|(name, field)| field.map(|_| name)).collect()
}
