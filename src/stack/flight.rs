//! Single flight: identical calls in flight share one.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::oneshot;

use super::key::Key;
use super::outcome::Served;
use crate::route::Failure;

/// What the one call that really goes out tells those that wait for it.
pub type Shared = Result<Served, Failure>;

/// The calls in flight and who waits for each.
#[derive(Debug, Default)]
pub struct Flights {
    flying: RefCell<HashMap<Key, Vec<oneshot::Sender<Rc<Shared>>>>>,
}

/// What a call is to its key.
#[derive(Debug)]
pub enum Role<'a> {
    /// The first: it goes out, and lands.
    Leads(Leader<'a>),
    /// One is in flight already; an error says that it was given up.
    Follows(oneshot::Receiver<Rc<Shared>>),
}

/// Dropped without landing, it lets those that wait go without an answer.
#[derive(Debug)]
pub struct Leader<'a> {
    flights: &'a Flights,
    key: Key,
}

impl Flights {
    pub fn join(&self, key: Key) -> Role<'_> {
        let mut flying = self.flying.borrow_mut();
        if let Some(waiters) = flying.get_mut(&key) {
            let (tell, wait) = oneshot::channel();
            waiters.push(tell);
            return Role::Follows(wait);
        }
        flying.insert(key, Vec::new());
        Role::Leads(Leader { flights: self, key })
    }
}

impl Leader<'_> {
    /// Gives the result, success or failure, to all that wait.
    pub fn land(self, result: &Shared) {
        let waiters = self.flights.flying.borrow_mut().remove(&self.key).unwrap_or_default();
        if waiters.is_empty() {
            return;
        }
        let result = Rc::new(result.clone());
        for waiter in waiters {
            // One that left at its own deadline no longer listens.
            let _ = waiter.send(result.clone());
        }
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.flights.flying.borrow_mut().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Canonical, ChatRequest, Lane, Usage};
    use crate::profile::CacheField;
    use crate::stack::{ServedBy, cache_key};

    fn key(text: &str) -> Key {
        let request = ChatRequest::new(Canonical::user_message(text));
        cache_key(&[CacheField::Messages], "m", &request)
    }

    fn served() -> Shared {
        let lane = Lane { model: "m".into(), route: "r".into() };
        Ok(Served { by: ServedBy::Model, lane, usage: Usage::default(), first_token: None, last_token: None })
    }

    #[tokio::test]
    async fn the_second_of_two_equal_calls_gets_the_result_of_the_first_and_the_third_flies_again() {
        let flights = Flights::default();
        let Role::Leads(leader) = flights.join(key("a")) else { panic!("the first leads") };
        let Role::Follows(wait) = flights.join(key("a")) else { panic!("the second follows") };
        assert!(matches!(flights.join(key("b")), Role::Leads(_)), "another key is another flight");
        leader.land(&served());
        assert!(wait.await.is_ok_and(|result| result.is_ok()));
        assert!(matches!(flights.join(key("a")), Role::Leads(_)));
    }

    #[tokio::test]
    async fn a_leader_that_is_given_up_lets_its_followers_go() {
        let flights = Flights::default();
        let Role::Leads(leader) = flights.join(key("a")) else { panic!("the first leads") };
        let Role::Follows(wait) = flights.join(key("a")) else { panic!("the second follows") };
        drop(leader);
        assert!(wait.await.is_err());
    }
}
