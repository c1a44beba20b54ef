//! Stands between an owner and a part. `attached`: the part lives no longer than the owner, however the owner ends,
//! because its end closes our stdin. `detached`: the part gets a session of its own. `remove`: a folder that must not
//! outlive its owner. Never decides on its own to end anything.

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

type Answer = Result<ExitCode, Box<dyn std::error::Error>>;

/// How long a folder is tried to be removed while parts that die beside us still write into it.
const REMOVE_WITHIN: Duration = Duration::from_secs(20);

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

/// Starts the part, tells its pid on stdout, and kills its whole process group when stdin closes.
fn attached(command: &mut Command) -> Answer {
    let log = stderr().as_fd().try_clone_to_owned()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log)
        .process_group(0)
        .spawn()?;
    let group = Pid::from_raw(i32::try_from(child.id())?);
    let told = writeln!(stdout(), "{group}").and_then(|()| stdout().flush());
    thread::spawn(move || {
        wait_for_owner_to_end();
        let _ = killpg(group, Signal::SIGKILL);
    });
    let ended = wait(&mut child, group);
    told?;
    ended
}

/// Waits for the part, and ends whatever it left behind in its group.
fn wait(child: &mut Child, group: Pid) -> Answer {
    let status = child.wait()?;
    let _ = killpg(group, Signal::SIGKILL);
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Becomes the part, in a session of its own: no terminal, no signal of the owner's reaches it.
fn detached(command: &mut Command) -> Answer {
    setsid()?;
    Err(command.exec().into())
}

/// Removes the folder when the owner has ended.
fn remove(folder: &Path) -> Answer {
    wait_for_owner_to_end();
    let gone = || match fs::remove_dir_all(folder) {
        Ok(()) => Some(()),
        Err(_) => (!folder.exists()).then_some(()),
    };
    ess_parts::until(REMOVE_WITHIN, gone)
        .ok_or_else(|| format!("cannot remove {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The owner writes nothing: its pipe ends when it does.
fn wait_for_owner_to_end() {
    let _ = stdin().read_to_end(&mut Vec::new());
}
