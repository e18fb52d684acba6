//! The comparison beside the load: started, looked at, ended; and those that are over.

use std::sync::Arc;

use tokio::sync::watch;

use super::Session;
use crate::compare::conduct::{self, Conducted, Course};
use crate::compare::{Comparison, Judging, Progress};
use crate::metrics::Stop;
use crate::profile::Profile;
use crate::tui::action::Action;

/// At most one is under way.
#[derive(Default)]
pub struct Arms {
    under_way: Option<(Conducted, watch::Receiver<Progress>)>,
    /// In the order in which they ended.
    pub over: Vec<Arc<Comparison>>,
}

/// What there is to know of the one under way.
pub enum News {
    Progress(Progress),
    Over,
}

impl Arms {
    /// Never, while none is under way.
    pub async fn news(&mut self) -> News {
        match &mut self.under_way {
            None => std::future::pending().await,
            Some((_, progress)) => match progress.changed().await {
                Ok(()) => News::Progress(progress.borrow_and_update().clone()),
                Err(_) => News::Over,
            },
        }
    }

    pub fn stop(&self, why: Stop) {
        if let Some((conducted, _)) = &self.under_way {
            conducted.stop(why);
        }
    }

    /// Waits for the end of the one under way; `None` without one.
    pub fn join(&mut self) -> Option<Result<Arc<Comparison>, String>> {
        let (conducted, _) = self.under_way.take()?;
        Some(conducted.join().map_err(|error| error.to_string()).map(|comparison| {
            let comparison = Arc::new(comparison);
            self.over.push(comparison.clone());
            comparison
        }))
    }
}

impl Session<'_> {
    pub(super) fn compare(&mut self, course: Course, profile: &Profile) -> Result<(), Action> {
        let conducted = conduct::start(course, Judging::new(profile).into_judge())
            .map_err(|error| Action::ComparisonOver(Err(error.to_string())))?;
        let progress = conducted.progress();
        self.arms.under_way = Some((conducted, progress));
        Ok(())
    }

    pub(super) fn take_news(&mut self, news: News) {
        match news {
            News::Progress(progress) => self.update(Action::Compared(progress)),
            News::Over => {
                if let Some(result) = self.arms.join() {
                    self.update(Action::ComparisonOver(result));
                }
            }
        }
    }
}
