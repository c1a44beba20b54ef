//! Runs a program to its end (Maven, npm, tar, the broker's formatter) and retains its last lines for the error message.
//! Never for servers: `process` starts those.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;

use crate::error::{Error, Result};

const TAIL_LINES: usize = 20;

/// Runs the command to its end and passes each line of stdout to `watch`.
pub(crate) fn run(what: &str, command: &mut Command, mut watch: impl FnMut(&str)) -> Result<()> {
    let io = |source| Error::Io {
        what: what.to_owned(),
        source,
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io)?;
    let errors = child
        .stderr
        .take()
        .map(|stderr| thread::spawn(move || tail(BufReader::new(stderr), |_| ())));
    let output = child
        .stdout
        .take()
        .map(|stdout| tail(BufReader::new(stdout), &mut watch));
    let errors = errors.and_then(|reader| reader.join().ok());
    let status = child.wait().map_err(io)?;
    if status.success() {
        return Ok(());
    }
    let tail = [output, errors]
        .into_iter()
        .flatten()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n");
    Err(Error::Command {
        what: what.to_owned(),
        status: status.to_string(),
        tail,
    })
}

fn tail(reader: impl BufRead, mut watch: impl FnMut(&str)) -> VecDeque<String> {
    let mut last = VecDeque::new();
    for line in reader.lines().map_while(std::result::Result::ok) {
        watch(&line);
        if last.len() == TAIL_LINES {
            last.pop_front();
        }
        last.push_back(line);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_includes_the_last_lines() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 100; echo why >&2; exit 3"]);
        let message = run("counting", &mut command, |_| ())
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("counting failed (exit status: 3)"),
            "{message}"
        );
        assert!(
            message.ends_with("99\n100\nwhy") && !message.contains("\n80\n"),
            "{message}"
        );
    }
}
