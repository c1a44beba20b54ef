//! What remains after an owner is killed: none of its attached processes and folders, all of its detached processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ess_parts::{Launch, Lifetime, Process, Scratch, until};

const ROLE: &str = "ESS_PARTS_TEST_OWNER";
const SOON: Duration = Duration::from_secs(10);

/// A part that has a child process and ignores SIGTERM.
fn stubborn() -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' TERM; sleep 600 & wait; wait"]);
    shell
}

/// Not a test: the process that the tests below start and kill.
#[test]
fn owner() {
    let Some(pid_file) = env::var_os(ROLE) else {
        return;
    };
    let scratch = Scratch::new().unwrap();
    let log = scratch.path().join("log");
    let launch = |lifetime| {
        Launch {
            name: "part",
            command: stubborn(),
            log: &log,
            lifetime,
        }
        .spawn()
        .unwrap()
    };
    let attached = launch(&Lifetime::Attached);
    let detached = launch(&Lifetime::Detached {
        pid_file: PathBuf::from(pid_file),
    });
    println!(
        "\nstarted {} {} {}",
        attached.pid(),
        detached.pid(),
        scratch.path().display()
    );
    until(Duration::from_mins(10), || None::<()>);
}

struct Owner {
    process: Child,
    attached: i32,
    detached: i32,
    scratch: PathBuf,
}

impl Owner {
    fn start(pid_file: &Path) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["owner::owner", "--exact", "--nocapture"])
            .env(ROLE, pid_file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("started "))
            .unwrap();
        let words: Vec<_> = line.split(' ').collect();
        let (attached, detached) = (words[1].parse().unwrap(), words[2].parse().unwrap());
        Self {
            process,
            attached,
            detached,
            scratch: PathBuf::from(words[3]),
        }
    }
}

/// The number of running processes in a process group.
fn group(leader: i32) -> usize {
    let in_group = |stat: String| {
        let fields: Vec<_> = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        fields[0] != "Z" && fields[2] == leader.to_string()
    };
    let stats = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter(|stat| in_group(stat.clone())).count()
}

#[test]
fn a_killed_owner_leaves_no_attached_process_and_no_folder_but_its_detached_process() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("part.pid");
    let mut owner = Owner::start(&pid_file);
    assert_eq!(
        until(SOON, || (group(owner.attached) == 2).then_some(())),
        Some(()),
        "part and its child run"
    );
    assert!(owner.scratch.is_dir());

    owner.process.kill().unwrap();
    owner.process.wait().unwrap();

    assert_eq!(
        until(SOON, || (group(owner.attached) == 0).then_some(())),
        Some(()),
        "attached"
    );
    assert_eq!(
        until(SOON, || (!owner.scratch.exists()).then_some(())),
        Some(()),
        "folder"
    );
    let mut detached = Process::adopt(&pid_file).expect("the detached process runs on");
    assert_eq!(detached.pid(), owner.detached);

    let stopped = detached.stop(Duration::from_millis(300)).unwrap();
    assert_eq!(stopped, ess_parts::Stopped::Killed, "it ignores SIGTERM");
    assert_eq!(group(owner.detached), 0);
    assert!(!pid_file.exists());
}

#[test]
fn a_pid_file_of_an_ended_process_adopts_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("part.pid");
    let me = ess_parts::Identity::of(std::process::id().cast_signed()).unwrap();
    fs::write(&pid_file, format!("{} {}", me.pid, me.started + 1)).unwrap();
    assert!(Process::adopt(&pid_file).is_none());
}

#[test]
fn a_part_that_ends_early_is_reported_with_its_last_lines() {
    let scratch = Scratch::new().unwrap();
    let log = scratch.path().join("log");
    let mut command = Command::new("sh");
    command.args(["-c", "echo cannot bind >&2; exit 1"]);
    let launch = Launch {
        name: "part",
        command,
        log: &log,
        lifetime: &Lifetime::Attached,
    };
    let mut process = launch.spawn().unwrap();
    let message = process
        .wait_until_ready("part", &log, SOON, || false)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("part ended before it was ready") && message.ends_with("cannot bind"),
        "{message}"
    );
}
