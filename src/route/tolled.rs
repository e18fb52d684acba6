//! Counts the connections that reqwest opens, where its connector hands them over.
//! Must not know what travels on them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

/// The count, over all clients it is a layer of.
#[derive(Clone, Default)]
pub(super) struct Toll(Arc<AtomicU64>);

impl Toll {
    pub(super) fn opened(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl<S> Layer<S> for Toll {
    type Service = Tolled<S>;

    fn layer(&self, connector: S) -> Tolled<S> {
        Tolled { connector, toll: self.clone() }
    }
}

/// A connector whose connections are counted once they are ready, TLS included.
#[derive(Clone)]
pub(super) struct Tolled<S> {
    connector: S,
    toll: Toll,
}

impl<S, To> Service<To> for Tolled<S>
where
    S: Service<To>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, to: To) -> Self::Future {
        let (connecting, toll) = (self.connector.call(to), self.toll.clone());
        Box::pin(async move {
            let connected = connecting.await;
            toll.0.fetch_add(connected.is_ok().into(), Relaxed);
            connected
        })
    }
}
