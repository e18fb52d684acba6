use super::*;

/// Whether a process runs; a zombie, which nobody may ever reap, does not.
#[cfg(target_os = "linux")]
fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn a_server_answers_on_a_private_socket_and_goes_without_a_trace() {
    let server = ManagedRedis::start().unwrap();
    let (socket, directory) = (server.socket(), server.directory.path().to_owned());
    assert_eq!(server.url(), format!("unix://{}", socket.display()));
    assert_eq!(ask(&socket, "PING\r\n").unwrap(), "+PONG\r\n");
    assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    drop(server);
    assert!(ask(&socket, "PING\r\n").is_err());
    assert!(!directory.exists());
}

#[test]
fn a_server_listens_on_no_port_saves_nothing_and_is_bounded() {
    let server = ManagedRedis::start().unwrap();
    let setting = |name: &str| ask(&server.socket(), &format!("CONFIG GET {name}\r\n")).unwrap();
    for (name, value) in [
        ("port", "\r\n0\r\n"),
        ("save", "\r\n$0\r\n\r\n"),
        ("appendonly", "\r\nno\r\n"),
        ("maxmemory", "\r\n268435456\r\n"),
        ("maxmemory-policy", "\r\nallkeys-lru\r\n"),
    ] {
        assert!(setting(name).ends_with(value), "{name}: {:?}", setting(name));
    }
}

#[test]
fn servers_do_not_share_a_directory() {
    let (one, other) = (ManagedRedis::start().unwrap(), ManagedRedis::start().unwrap());
    assert_ne!(one.url(), other.url());
    assert_ne!(one.pid(), other.pid());
}

#[test]
fn a_missing_server_is_said_with_the_way_to_install_it_or_to_do_without() {
    let error = ManagedRedis::start_one_of(&["gatebench-no-such-server"]).unwrap_err().to_string();
    for hint in ["apt-get install redis-server", "brew install redis", "pacman -S valkey", "remove `redis`"] {
        assert!(error.contains(hint), "{error}");
    }
}

#[test]
fn the_next_name_is_tried_where_the_first_is_not_installed() {
    assert!(ManagedRedis::start_one_of(&["gatebench-no-such-server", "redis-server"]).is_ok());
}

#[test]
fn a_program_that_ends_at_once_is_an_error() {
    let error = ManagedRedis::start_one_of(&["false"]).unwrap_err();
    assert!(matches!(error, ManagedRedisError::Ended { .. }), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_server_is_in_a_process_group_of_its_own() {
    let server = ManagedRedis::start().unwrap();
    // SAFETY: getpgid reads a number of a process.
    let group = unsafe { libc::getpgid(server.pid() as libc::pid_t) };
    assert_eq!(group, server.pid() as libc::pid_t);
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_outlives_the_thread_that_asked_for_it() {
    let server = thread::spawn(ManagedRedis::start).join().unwrap().unwrap();
    thread::sleep(Duration::from_millis(50));
    assert!(is_running(server.pid()));
}

fn age(directory: &Path) {
    File::open(directory).unwrap().set_modified(SystemTime::now() - 2 * YOUNG).unwrap();
}

#[test]
fn only_old_directories_with_a_free_lock_are_swept() {
    let parent = tempfile::tempdir().unwrap();
    let make = |name: &str, files: &[&str]| {
        let path = parent.path().join(name);
        fs::create_dir(&path).unwrap();
        for file in files {
            File::create(path.join(file)).unwrap();
        }
        path
    };
    let stale = make("gatebench-redis-stale", &["lock", "redis.log"]);
    let held = make("gatebench-redis-held", &["lock"]);
    let lockless = make("gatebench-redis-lockless", &[]);
    let foreign = make("somebody-elses", &["lock"]);
    let young = make("gatebench-redis-young", &["lock"]);
    let lock = File::open(held.join("lock")).unwrap();
    try_lock(&lock).unwrap();
    [&stale, &held, &lockless, &foreign].into_iter().for_each(|directory| age(directory));
    sweep(parent.path());
    assert!(!stale.exists());
    assert!([held, lockless, foreign, young].iter().all(|directory| directory.exists()));
}

#[test]
fn a_server_whose_owner_is_gone_is_ended_by_the_sweep() {
    let mut server = ManagedRedis::start().unwrap();
    // As if the owner had been killed where the kernel does not end the server with it.
    server._lock = File::open("/dev/null").unwrap();
    age(server.directory.path());
    let parent = server.directory.path().parent().unwrap().to_owned();
    // More than once, since a process being spawned by another test may hold a copy of the lock for a moment.
    assert!(eventually(|| {
        sweep(&parent);
        server.child.try_wait().unwrap().is_some()
    }));
    assert!(eventually(|| !server.directory.path().exists()));
}

/// The owner that the next test kills.
#[test]
#[ignore = "a process of the next test's"]
fn an_owner_that_waits_to_be_killed() {
    if let Some(note) = std::env::var_os("GATEBENCH_TEST_NOTE") {
        let server = ManagedRedis::start().unwrap();
        let whole = Path::new(&note).with_extension("part");
        fs::write(&whole, format!("{} {}", server.pid(), server.directory.path().display())).unwrap();
        fs::rename(whole, note).unwrap();
        thread::sleep(Duration::from_secs(60));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_dies_with_an_owner_that_is_killed() {
    let place = tempfile::tempdir().unwrap();
    let note = place.path().join("note");
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "stack::managed_redis::tests::an_owner_that_waits_to_be_killed"])
        .env("GATEBENCH_TEST_NOTE", &note)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let noted = eventually(|| note.exists());
    let is_owner_alive_and_well = owner.try_wait().unwrap().is_none();
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(noted && is_owner_alive_and_well);
    let text = fs::read_to_string(&note).unwrap();
    let (pid, directory) = text.split_once(' ').unwrap();
    let pid = pid.parse().unwrap();
    assert!(eventually(|| !is_running(pid)), "redis-server {pid} outlived its owner");
    fs::remove_dir_all(directory).unwrap();
}
