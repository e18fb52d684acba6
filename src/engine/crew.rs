//! The replicas' threads: starts them, at the run's beginning and later, and awaits their end.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::EngineError;
use super::control::Control;
use super::endpoints::Endpoints;
use super::messages::{Message, Post, Settings};
use super::replica::{self, Setup};
use crate::profile::expect::LatencyBounds;

/// How long a replica may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Crew {
    pub endpoints: Arc<Endpoints>,
    pub bounds: LatencyBounds,
    pub control: Arc<Control>,
    pub to_conductor: mpsc::Sender<Message>,
    /// Of every replica there was.
    pub threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Starts `count` more replicas and waits until each is ready or says why it is not; then none of them stays.
    pub fn hire(&mut self, count: usize, settings: &Settings) -> Result<Vec<Post>, EngineError> {
        let (ready, answers) = mpsc::channel();
        let posts = (0..count).map(|_| self.start(settings, ready.clone())).collect::<Result<Vec<_>, _>>()?;
        for _ in &posts {
            answers.recv_timeout(PATIENCE).map_err(|_| EngineError::Broken("replica"))??;
        }
        Ok(posts)
    }

    fn start(
        &mut self,
        settings: &Settings,
        ready: mpsc::Sender<Result<(), EngineError>>,
    ) -> Result<Post, EngineError> {
        let number = self.threads.len();
        let (sender, inbox) = tokio::sync::mpsc::unbounded_channel();
        let setup = Setup {
            number,
            settings: settings.clone(),
            endpoints: self.endpoints.clone(),
            bounds: self.bounds,
            control: self.control.clone(),
        };
        let outbox = self.to_conductor.clone();
        let run = move || replica::run(setup, inbox, outbox, ready);
        self.threads.push(super::thread(&format!("replica {number}"), run)?);
        Ok(Post { number, sender })
    }

    pub fn join(&mut self) -> Result<(), EngineError> {
        self.threads.drain(..).try_for_each(|thread| thread.join().map_err(|_| EngineError::Broken("replica")))
    }
}
