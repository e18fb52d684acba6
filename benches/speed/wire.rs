//! A server at the other end of a wire of known delay, jitter and loss: nginx in a network namespace of its own.
//!
//! The namespace has no name: it is that of a process of ours which dies with this one, however that ends, and takes
//! its devices along. The wire is tc netem on a veth pair, or, where the kernel has no netem, a pair of tun devices
//! whose packets this process carries.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::Problem;
use super::{nginx, raw, tun};

/// Of the addresses that are kept for benchmarks (RFC 2544).
const NEAR: &str = "198.18.0.1/30";
const FAR: &str = "198.18.0.2/30";
pub const SERVER: &str = "198.18.0.2";

/// Of each direction; jitter is even.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    pub delay: Duration,
    pub jitter: Duration,
    /// Share of packets.
    pub loss: f64,
}

pub struct Wire {
    near: String,
    holder: Child,
    server: Option<Child>,
    pub is_netem: bool,
    dir: TempDir,
}

impl Wire {
    pub fn start(conditions: Conditions) -> Result<Self, Problem> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Relaxed);
        let name = |end: char| format!("gb{}{end}{number}", std::process::id() % 1_000_000);
        let (near, far) = (name('n'), name('f'));
        let holder = mortal(Command::new("sleep").arg("infinity"), Namespace::Own).spawn()?;
        let mut wire = Self { near, holder, server: None, is_netem: false, dir: tempfile::tempdir()? };
        wire.wait_for_namespace()?;
        wire.lay(&far, conditions)?;
        wire.serve()?;
        Ok(wire)
    }

    pub fn ca_file(&self) -> std::path::PathBuf {
        self.dir.path().join("cert.pem")
    }

    /// The child is in it once it has become `sleep`.
    fn wait_for_namespace(&self) -> Result<(), Problem> {
        let end = Instant::now() + Duration::from_secs(5);
        let comm = format!("/proc/{}/comm", self.holder.id());
        while std::fs::read_to_string(&comm)?.trim() != "sleep" {
            if Instant::now() > end {
                return Err("no process in a namespace of its own".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn lay(&mut self, far: &str, conditions: Conditions) -> Result<(), Problem> {
        let (near, holder) = (self.near.clone(), self.holder.id().to_string());
        run("ip", &["link", "add", &near, "type", "veth", "peer", "name", far, "netns", &holder])?;
        self.is_netem = run("tc", &netem(&near, conditions)).is_ok();
        if self.is_netem {
            self.inside("tc", &netem(far, conditions))?;
        } else {
            run("ip", &["link", "del", &near])?;
            let (one, other) = (tun::device(&near)?, tun::device(far)?);
            run("ip", &["link", "set", far, "netns", &holder])?;
            tun::carry(one, other, conditions);
        }
        run("ip", &["addr", "add", NEAR, "dev", &near])?;
        run("ip", &["link", "set", &near, "up"])?;
        self.inside("ip", &["addr", "add", FAR, "dev", far])?;
        self.inside("ip", &["link", "set", far, "up"])
    }

    fn inside(&self, program: &str, arguments: &[impl AsRef<str>]) -> Result<(), Problem> {
        let holder = self.holder.id().to_string();
        let mut all = vec!["-t", &holder, "-n", program];
        all.extend(arguments.iter().map(AsRef::as_ref));
        run("nsenter", &all)
    }

    fn serve(&mut self) -> Result<(), Problem> {
        let certified = rcgen::generate_simple_self_signed(vec![SERVER.to_owned()])?;
        let path = self.dir.path();
        std::fs::write(path.join("cert.pem"), certified.cert.pem())?;
        std::fs::write(path.join("key.pem"), certified.signing_key.serialize_pem())?;
        let file = path.join("nginx.conf");
        let dir = path.to_str().ok_or("the temporary directory's name is not UTF-8")?;
        let config = include_str!("../wire.conf").replace("@DIR@", dir).replace("@SERVER@", SERVER);
        std::fs::write(&file, config.replace("@BODY@", nginx::BODY))?;
        self.server = Some(self.nginx(path, &file)?);
        let end = Instant::now() + Duration::from_secs(5);
        while let Err(error) = raw::once(&format!("{SERVER}:8080"), "{}") {
            if Instant::now() > end {
                return Err(format!("nginx at the other end does not answer: {error}").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn nginx(&self, dir: &Path, config: &Path) -> Result<Child, Problem> {
        let binary = nginx::binary().ok_or("nginx was not found; see benches/run --help")?;
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.holder.id().to_string(), "-n"]).arg(binary).arg("-p").arg(dir);
        // nginx takes this one for sockets to inherit.
        command.args(["-e", "stderr", "-c"]).arg(config).env_remove("NGINX");
        Ok(mortal(&mut command, Namespace::Ours).spawn()?)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for child in self.server.iter_mut().chain([&mut self.holder]) {
            let _ = child.kill();
            let _ = child.wait();
        }
        // It goes with its other end, but maybe not at once, and its address is needed again.
        let _ = run("ip", &["link", "del", &self.near]);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Namespace {
    Ours,
    Own,
}

/// A child that is killed when this process ends, whatever ends it.
fn mortal(command: &mut Command, namespace: Namespace) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: two plain system calls between fork and exec.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
            if namespace == Namespace::Own && libc::unshare(libc::CLONE_NEWNET) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        })
    }
}

fn netem(device: &str, conditions: Conditions) -> Vec<String> {
    let microseconds = |time: Duration| format!("{}us", time.as_micros());
    let mut words =
        ["qdisc", "add", "dev", device, "root", "netem", "limit", "100000", "delay"].map(str::to_owned).to_vec();
    words.push(microseconds(conditions.delay));
    if !conditions.jitter.is_zero() {
        words.push(microseconds(conditions.jitter));
    }
    words.extend(["loss".to_owned(), format!("{}%", conditions.loss * 100.0)]);
    words
}

fn run(program: &str, arguments: &[impl AsRef<str>]) -> Result<(), Problem> {
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    let output = Command::new(program).args(&arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()).into())
}
