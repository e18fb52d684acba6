//! `gatebench sim`: says where the routes are, then serves them until it is told to end.
//! Must not know the command line.

use std::future::Future;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::profile::Simulated;

use super::{Options, Server, SimError, worker};

/// What ended the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Interrupt,
    Terminate,
}

#[derive(Serialize)]
struct Announcement<'a> {
    name: &'a str,
    base_url: &'a str,
    ca_file: &'a Path,
}

/// Serves until SIGINT or SIGTERM. One line of JSON a route goes to stdout; the CA's file lives as long as the service.
pub fn serve(routes: &[(String, Simulated)], options: Options) -> Result<Ended, SimError> {
    let runtime = worker::runtime().map_err(SimError::Threads)?;
    let signalled = {
        let _inside = runtime.enter();
        signals().map_err(SimError::Threads)?
    };
    serve_until(routes, options, &mut io::stdout(), || runtime.block_on(signalled))
}

fn serve_until<T>(
    routes: &[(String, Simulated)],
    options: Options,
    out: &mut impl Write,
    end: impl FnOnce() -> T,
) -> Result<T, SimError> {
    let server = Server::start(routes, options)?;
    let folder = tempfile::Builder::new().prefix("gatebench-sim-").tempdir();
    let folder = folder.map_err(|source| SimError::WriteCa { path: std::env::temp_dir(), source })?;
    let ca_file = folder.path().join("ca.pem");
    server.write_ca(&ca_file)?;
    for route in server.routes() {
        let line = Announcement { name: route.name(), base_url: route.base_url(), ca_file: &ca_file };
        serde_json::to_writer(&mut *out, &line).map_err(|error| SimError::Announce(error.into()))?;
        writeln!(out).map_err(SimError::Announce)?;
    }
    out.flush().map_err(SimError::Announce)?;
    Ok(end())
}

#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = Ended>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Ended::Interrupt,
            _ = terminate.recv() => Ended::Terminate,
        }
    })
}

#[cfg(not(unix))]
fn signals() -> io::Result<impl Future<Output = Ended>> {
    Ok(async {
        // Without a handler for it, Ctrl-C ends the process as it always does.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Ended::Interrupt
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// An output that can be read while it is written.
    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Shared {
        fn lines(&self) -> Vec<String> {
            String::from_utf8(self.0.borrow().clone()).unwrap().lines().map(str::to_owned).collect()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_route_is_announced_on_a_line_and_the_ca_file_lives_as_long_as_the_service() {
        let spec = |preset| Simulated::preset(preset).unwrap();
        let routes = [("near".to_owned(), spec("holysheep")), ("plain".to_owned(), spec("local"))];
        let out = Shared::default();
        let said = out.clone();
        let ca_file = serve_until(&routes, Options::default(), &mut out.clone(), || {
            let line: serde_json::Value = serde_json::from_slice(said.lines()[0].as_bytes()).unwrap();
            let ca_file = line["ca_file"].as_str().unwrap().to_owned();
            assert!(std::fs::read_to_string(&ca_file).unwrap().contains("BEGIN CERTIFICATE"));
            ca_file
        });
        let lines: Vec<serde_json::Value> = out.lines().iter().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!((lines[0]["name"].as_str(), lines[1]["name"].as_str()), (Some("near"), Some("plain")));
        assert!(lines[0]["base_url"].as_str().unwrap().starts_with("https://127.0.0.1:"));
        assert!(lines[1]["base_url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
        assert!(lines[1]["base_url"].as_str().unwrap().ends_with("/v1"));
        assert!(!Path::new(&ca_file.unwrap()).exists(), "the file outlived the service");
    }
}
