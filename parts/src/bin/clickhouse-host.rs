//! ClickHouse as a server process: loads libchdb and passes it the command line of `clickhouse-local`.
//! Never does anything else, because the library takes over signals, threads and memory of the process.

use std::env;
use std::ffi::{CString, OsString, c_char, c_int};
use std::io::{Write, stderr};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use libloading::{Library, Symbol};

type QueryCmdline = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut std::ffi::c_void;

/// `clickhouse-host LIBCHDB_SO ARGUMENT…`: the arguments of clickhouse-local, without the program's name.
fn main() -> ExitCode {
    match run(env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "clickhouse-host: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: impl Iterator<Item = OsString>) -> Result<(), Box<dyn std::error::Error>> {
    let library = args
        .next()
        .ok_or("usage: clickhouse-host LIBCHDB_SO ARGUMENT…")?;
    let mut command_line = vec![CString::new("clickhouse-local")?];
    for arg in args {
        command_line.push(CString::new(arg.into_vec())?);
    }
    // Leaked on purpose: the library keeps pointers into its command line.
    let mut pointers: Vec<*mut c_char> = command_line.into_iter().map(CString::into_raw).collect();
    let count = c_int::try_from(pointers.len())?;
    // SAFETY: the initialisers are those of ClickHouse, and no other code of this process runs yet.
    let library = unsafe { Library::new(library)? };
    // SAFETY: the signature is the one in chdb.h; the strings are never freed.
    let result = unsafe {
        let query: Symbol<'_, QueryCmdline> = library.get(b"chdb_query_cmdline")?;
        query(count, pointers.as_mut_ptr())
    };
    // The call returns when the endless query ends.
    if result.is_null() {
        Err("the server could not start".into())
    } else {
        Ok(())
    }
}
