//! The steps of one scope, one after another: each is told when it begins and when it is done, and after a failed one
//! the rest is skipped. Must not know what a step does.

use super::finding::{Finding, Note, Step};

/// Who hears of a check as it goes.
pub trait Witness {
    /// Money may be spent.
    fn announces(&mut self, words: &str);
    /// What follows is about this.
    fn enters(&mut self, scope: &str, about: &str);
    fn waits(&mut self, scope: &str, step: Step, for_what: &str);
    fn finds(&mut self, finding: &Finding);
}

pub struct Round<'a> {
    scope: String,
    witness: &'a mut dyn Witness,
    findings: &'a mut Vec<Finding>,
    /// Why the rest is skipped.
    blocked: Option<String>,
}

/// What a step found, and what the next one goes on from.
pub type Taken<T> = (Vec<Note>, Option<T>);

impl<'a> Round<'a> {
    pub fn new(scope: &str, witness: &'a mut dyn Witness, findings: &'a mut Vec<Finding>) -> Self {
        Self { scope: scope.to_owned(), witness, findings, blocked: None }
    }

    pub fn enters(&mut self, about: &str) {
        self.witness.enters(&self.scope, about);
    }

    pub fn note(&mut self, step: Step, note: Note) {
        let finding = note.of(&self.scope, step);
        self.witness.finds(&finding);
        self.findings.push(finding);
    }

    pub fn note_all(&mut self, step: Step, notes: Vec<Note>) {
        notes.into_iter().for_each(|note| self.note(step, note));
    }

    pub fn skip(&mut self, steps: &[Step], why: &str) {
        steps.iter().for_each(|step| self.note(*step, Note::skip(why)));
    }

    fn skip_if_blocked(&mut self, step: Step) -> bool {
        let why = self.blocked.clone();
        if let Some(why) = &why {
            self.note(step, Note::skip(why));
        }
        why.is_some()
    }

    pub async fn step<T>(&mut self, step: Step, for_what: &str, work: impl Future<Output = Taken<T>>) -> Option<T> {
        if self.skip_if_blocked(step) {
            return None;
        }
        self.witness.waits(&self.scope, step, for_what);
        let (notes, next) = work.await;
        if notes.iter().any(Note::has_failed) {
            self.blocked.get_or_insert_with(|| format!("since {} failed", step.name()));
        }
        self.note_all(step, notes);
        next
    }

    /// A step that goes on from what the one before came to.
    pub async fn then<F, T, W>(
        &mut self,
        step: Step,
        for_what: &str,
        from: Option<F>,
        work: impl FnOnce(F) -> W,
    ) -> Option<T>
    where
        W: Future<Output = Taken<T>>,
    {
        match from {
            Some(from) => self.step(step, for_what, work(from)).await,
            None => {
                self.skip_if_blocked(step);
                None
            }
        }
    }
}
