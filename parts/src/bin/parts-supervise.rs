//! Supervises a part for its owner. `attached`: kills the part when the owner ends, which closes stdin. `detached`: runs the part in
//! a session of its own. `remove`: removes a folder when the owner ends. Never stops anything for another reason.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write, stderr, stdin, stdout};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, setsid};

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

/// Deadline of removing a folder, into which stopping parts may still write.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let mode = args.next().unwrap_or_default();
    let rest: Vec<OsString> = args.collect();
    let ended = match (mode.to_str(), rest.as_slice()) {
        (Some("attached"), [program, args @ ..]) => attached(Command::new(program).args(args)),
        (Some("detached"), [program, args @ ..]) => detached(Command::new(program).args(args)),
        (Some("remove"), [folder]) => remove(Path::new(folder)),
        _ => {
            Err("usage: parts-supervise attached|detached PROGRAM ARGUMENT… | remove FOLDER".into())
        }
    };
    ended.unwrap_or_else(|error| {
        let _ = writeln!(stderr(), "parts-supervise: {error}");
        ExitCode::FAILURE
    })
}

/// Starts the part, prints its pid, and kills its process group when stdin closes.
fn attached(command: &mut Command) -> Outcome {
    let log = stderr().as_fd().try_clone_to_owned()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log)
        .process_group(0)
        .spawn()?;
    let group = Pid::from_raw(i32::try_from(child.id())?);
    let printed = writeln!(stdout(), "{group}").and_then(|()| stdout().flush());
    thread::spawn(move || {
        wait_for_owner_to_end();
        let _ = killpg(group, Signal::SIGKILL);
    });
    let ended = wait(&mut child, group);
    printed?;
    ended
}

/// Waits for the part, then kills the rest of its process group.
fn wait(child: &mut Child, group: Pid) -> Outcome {
    let status = child.wait()?;
    let _ = killpg(group, Signal::SIGKILL);
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Replaces itself with the part, in a session of its own, which gets no signal from the owner or a terminal.
fn detached(command: &mut Command) -> Outcome {
    setsid()?;
    Err(command.exec().into())
}

/// Removes the folder after the owner ends.
fn remove(folder: &Path) -> Outcome {
    wait_for_owner_to_end();
    let removed = || match fs::remove_dir_all(folder) {
        Ok(()) => Some(()),
        Err(_) => (!folder.exists()).then_some(()),
    };
    ess_parts::until(REMOVE_TIMEOUT, removed)
        .ok_or_else(|| format!("cannot remove {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The owner never writes to stdin; the kernel closes it when the owner ends.
fn wait_for_owner_to_end() {
    let _ = stdin().read_to_end(&mut Vec::new());
}
