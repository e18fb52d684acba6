//! The one interface in front of both transports: a request goes out, a head and a readable body come back.
//! Must not know dialects.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response};

use super::alarm::Alarm;
use super::exact::{Exact, ExactBody};
use super::failure::Fault;
use super::target::Target;
use super::through_reqwest::{ReqwestBody, ThroughReqwest};
use super::{Connection, PoolGauge};
use crate::profile;

/// What an exchange was like, known also when it fails.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) pool_wait: Option<Duration>,
    pub(super) connection: Option<Connection>,
    pub(super) sent: bool,
}

impl Trace {
    pub(super) fn waited(&mut self, wait: Duration) {
        self.pool_wait = Some(self.pool_wait.unwrap_or_default() + wait);
    }
}

pub(super) enum Transport {
    Exact(Box<Exact>),
    Reqwest(Box<ThroughReqwest>),
}

pub(super) enum Reader {
    Exact(ExactBody),
    Reqwest(ReqwestBody),
}

impl Transport {
    /// Posts what `compose` writes: each time anew, should it be sent again.
    pub(super) async fn send(
        &self,
        compose: impl Fn() -> (HeaderMap, Bytes),
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<Reader>, Fault> {
        match self {
            Self::Exact(exact) => Ok(exact.send(compose, alarm, trace).await?.map(Reader::Exact)),
            Self::Reqwest(reqwest) => Ok(reqwest.send(compose(), alarm, trace).await?.map(Reader::Reqwest)),
        }
    }

    /// Any status is an answer.
    pub(super) async fn get(
        &self,
        target: &Target,
        path: &str,
        headers: HeaderMap,
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<Reader>, Fault> {
        let broken = |why: &dyn std::fmt::Display| Fault::Broken(format!("{path} is no path: {why}"));
        match self {
            Self::Exact(exact) => {
                let path = target.path_of(path).parse().map_err(|why: http::uri::InvalidUri| broken(&why))?;
                Ok(exact.get(path, headers, alarm, trace).await?.map(Reader::Exact))
            }
            Self::Reqwest(reqwest) => {
                let url = target.url_of(path).parse().map_err(|why| broken(&why))?;
                Ok(reqwest.get(url, headers, alarm, trace).await?.map(Reader::Reqwest))
            }
        }
    }

    pub(super) fn configure(&self, settings: &profile::Pool) {
        match self {
            Self::Exact(exact) => exact.configure(settings),
            Self::Reqwest(reqwest) => reqwest.configure(settings),
        }
    }

    pub(super) fn gauge(&self) -> PoolGauge {
        match self {
            Self::Exact(exact) => exact.pool().gauge(),
            Self::Reqwest(reqwest) => reqwest.gauge(),
        }
    }

    /// Closes what is idle, and the rest as it falls idle: another transport takes its place.
    pub(super) fn retire(&self) {
        match self {
            Self::Exact(exact) => exact.pool().retire(),
            Self::Reqwest(reqwest) => reqwest.shut_down(),
        }
    }

    pub(super) async fn shut_down(&self) {
        match self {
            Self::Exact(exact) => exact.pool().shut_down().await,
            Self::Reqwest(reqwest) => reqwest.shut_down(),
        }
    }
}

/// Whether the body was read to its end within the bound.
#[derive(Debug)]
pub(super) enum Whole {
    Complete(Bytes, Instant),
    TooLong(Bytes),
}

impl Reader {
    /// The next bytes and when they came, or `None` at the end. After the end the connection is back in its pool.
    pub(super) async fn frame(&mut self, alarm: &mut Alarm<'_>) -> Result<Option<(Bytes, Instant)>, Fault> {
        match self {
            Self::Exact(body) => body.frame(alarm).await,
            Self::Reqwest(body) => body.frame(alarm).await,
        }
    }

    fn ended(&mut self, now: Instant) -> bool {
        match self {
            Self::Exact(body) => body.ended(now),
            Self::Reqwest(body) => body.ended(),
        }
    }

    /// All of it, in one piece and without a copy if it came as one.
    pub(super) async fn whole(&mut self, alarm: &mut Alarm<'_>, bound: usize) -> Result<Whole, Fault> {
        let Some((first, mut last)) = self.frame(alarm).await? else {
            return Ok(Whole::Complete(Bytes::new(), Instant::now()));
        };
        if self.ended(last) {
            return Ok(Whole::Complete(first, last));
        }
        let mut all = BytesMut::new();
        let mut next = Some(first);
        while let Some(bytes) = next {
            if all.len() + bytes.len() > bound {
                return Ok(Whole::TooLong(all.freeze()));
            }
            all.extend_from_slice(&bytes);
            if self.ended(last) {
                break;
            }
            next = match self.frame(alarm).await? {
                Some((bytes, now)) => {
                    last = now;
                    Some(bytes)
                }
                None => None,
            };
        }
        Ok(Whole::Complete(all.freeze(), last))
    }
}

/// The value of a header as text, if it is that.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
