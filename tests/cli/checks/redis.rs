//! Redis, as the tier would find it.

use super::*;

/// A redis-server of the test's own, on a socket file.
struct Redis(Child);

impl Redis {
    fn start(socket: &Path, more: &[&str]) -> Self {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no"]);
        command.arg("--unixsocket").arg(socket).args(more).stdout(Stdio::null());
        let process = command.spawn().expect("these tests need redis-server on PATH (Debian: redis-server)");
        let redis = Self(process);
        until("redis-server answers", || UnixStream::connect(socket).is_ok());
        redis
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_redis(folder: &Folder, url: &str) -> Checked {
    let url = format!("stack.cache.redis.url={url}");
    Checked::of(folder, &["ci-smoke", "--set", &url, "--set", "stack.cache.redis.timeout=10s"])
}

#[test]
fn a_redis_is_asked_for_its_version_and_whether_it_keeps_what_it_is_given() {
    let folder = Folder::new();
    with_redis(&folder, "managed").exits(0).says("redis", "ok", &["starts and answers"]);
    let socket = folder.path("redis.sock");
    let _redis = Redis::start(&socket, &["--requirepass", "s3cr3t", "--maxmemory", "8mb"]);
    let place = socket.display().to_string();
    let without = with_redis(&folder, &format!("unix://{place}"));
    without.exits(1).says("redis", "fail", &[&place, "asks for a password", ":PASSWORD@"]);
    let wrong = with_redis(&folder, &format!("unix://{place}?pass=wr0ng"));
    wrong.exits(1).says("redis", "fail", &[&place, "refuses the password", "correct it"]);
    assert!(!wrong.0.to_string().contains("wr0ng"));
    let right = with_redis(&folder, &format!("unix://{place}?pass=s3cr3t"));
    right.exits(0).says("redis", "ok", &[&place, "answers"]);
    right.says("redis", "warn", &["noeviction with maxmemory 8.00M", "allkeys-lru"]);
    assert!(!right.0.to_string().contains("s3cr3t"));
}

#[test]
fn a_redis_that_is_absent_silent_or_not_installed_fails_with_the_mend() {
    let folder = Folder::new();
    let absent = with_redis(&folder, "redis://127.0.0.1:1");
    absent.exits(1).says("redis", "fail", &["nothing listens at 127.0.0.1:1", "is redis-server up"]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = silent.local_addr().unwrap().to_string();
    with_redis(&folder, &format!("redis://{host}")).exits(1).says(
        "redis",
        "fail",
        &["no answer from", &host, "does it hang?"],
    );
    let args = ["ci-smoke", "--set", "stack.cache.redis.url=managed"];
    let nowhere = Checked::with(&folder, &args, |command| _ = command.env("PATH", folder.path("")));
    nowhere.exits(1).says("redis", "fail", &["not installed", "apt-get install"]);
}
