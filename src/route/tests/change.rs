//! Another client, while the one before is in use.

use super::pool::{all_closed, closed, finish, slow, start};
use super::server::{Server, completion};
use super::{ask, endpoint, local, until};
use crate::profile::{Client, Pool};
use crate::route::{Closing, Connection};

#[test]
fn a_change_of_client_takes_effect_from_the_next_attempt_and_the_old_connections_drain() {
    local(async {
        let server = slow(40).await;
        let endpoint = endpoint(&server.base_url, &Pool { max_connections: 1, ..Pool::default() });
        let under_way = start(&endpoint);
        let in_line = start(&endpoint);
        until("one is asked and one waits", || endpoint.gauge().open == 1 && endpoint.gauge().waiting == 1).await;
        endpoint.configure(&Pool { client: Client::Reqwest, ..Pool::default() });
        assert_eq!(ask(&endpoint).await.connection, None, "reqwest does not tell");
        for attempt in finish(vec![under_way, in_line]).await {
            assert!(attempt.result.is_ok() && attempt.connection.is_some(), "{attempt:?}");
        }
        until("both have closed", || closed(&endpoint, Closing::Drained) == 2).await;
        assert_eq!((endpoint.gauge().open, endpoint.gauge().opened, endpoint.gauge().peak), (0, 3, 1));
        endpoint.configure(&Pool::default());
        assert!(matches!(ask(&endpoint).await.connection, Some(Connection::Opened(_))));
        assert_eq!(ask(&endpoint).await.connection, Some(Connection::Reused));
        assert_eq!((endpoint.gauge().open, endpoint.gauge().opened), (1, 4));
        endpoint.shut_down().await;
        assert_eq!(all_closed(&endpoint), 3);
    });
}

#[test]
fn a_change_of_client_keeps_what_the_gateways_cache_was_told() {
    local(async {
        let server = Server::always(completion()).await;
        let endpoint = endpoint(&server.base_url, &Pool::default());
        endpoint.set_gateway_cache(false);
        endpoint.configure(&Pool { client: Client::Reqwest, ..Pool::default() });
        assert!(ask(&endpoint).await.result.is_ok());
        assert!(server.seen.requests.borrow()[0].to_lowercase().contains("no-cache"), "{:?}", server.seen.requests);
    });
}
