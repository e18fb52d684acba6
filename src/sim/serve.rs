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
    serve_until(routes, options, &mut io::stdout().lock(), || runtime.block_on(signalled))
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
    use super::*;

    #[test]
    fn each_route_is_announced_on_a_line_and_the_ca_file_lives_as_long_as_the_service() {
        let spec = |preset| Simulated::preset(preset).unwrap();
        let routes = [("near".to_owned(), spec("holysheep")), ("plain".to_owned(), spec("local"))];
        let mut out = Vec::new();
        let files: Vec<_> = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|f| f.path()).collect();
        let alive = serve_until(&routes, Options::default(), &mut out, || {
            let now = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|f| f.path());
            now.filter(|path| !files.contains(path) && path.join("ca.pem").exists()).count()
        });
        assert!(alive.unwrap() >= 1);
        let lines: Vec<serde_json::Value> = out
            .split(|&b| b == b'\n')
            .filter(|line| !line.is_empty())
            .map(|l| serde_json::from_slice(l).unwrap())
            .collect();
        assert_eq!((lines[0]["name"].as_str(), lines[1]["name"].as_str()), (Some("near"), Some("plain")));
        assert!(lines[0]["base_url"].as_str().unwrap().starts_with("https://127.0.0.1:"));
        assert!(lines[1]["base_url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
        assert!(lines[1]["base_url"].as_str().unwrap().ends_with("/v1"));
        let ca_file = lines[0]["ca_file"].as_str().unwrap();
        assert!(!Path::new(ca_file).exists(), "{ca_file} outlived the service");
    }
}
