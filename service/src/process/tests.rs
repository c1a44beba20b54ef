//! The life cycle of a process: what stops it, and how it drains.

use std::{convert::Infallible, future::pending};

use super::*;

fn process(deadline: Duration) -> Process {
    Process::new(telemetry::unrecorded(), deadline)
}

async fn run_until(stopping: CancellationToken) -> Result<(), Infallible> {
    stopping.cancelled().await;
    Ok(())
}

#[tokio::test]
async fn a_process_that_is_stopped_drains_every_task() {
    let mut process = process(Duration::from_secs(30));
    let stopping = process.stopping();
    process.spawn("fold", run_until(stopping.clone()));
    stopping.cancel();
    assert!(process.run().await);
    assert!(process.drain().await);
}

#[tokio::test]
async fn a_task_that_ends_early_stops_the_others() {
    let mut process = process(Duration::from_secs(30));
    let stopping = process.stopping();
    process.spawn("fold", run_until(stopping));
    process.spawn("http", async { Ok::<(), Infallible>(()) });
    assert!(!process.run().await);
    assert!(process.drain().await, "the other task stops");
}

#[tokio::test]
async fn a_task_that_panics_stops_the_process() {
    let mut process = process(Duration::from_secs(30));
    process.spawn("fold", async {
        if true {
            panic!("a defect")
        } else {
            Ok::<(), Infallible>(())
        }
    });
    assert!(!process.run().await);
}

#[tokio::test]
async fn a_drain_that_reaches_its_deadline_fails() {
    let mut process = process(Duration::from_millis(1));
    process.spawn("stuck", pending::<Result<(), Infallible>>());
    assert!(!process.drain().await);
}

#[tokio::test]
async fn a_drain_that_is_abandoned_fails() {
    let mut process = process(Duration::from_hours(1));
    process.spawn("stuck", pending::<Result<(), Infallible>>());
    process.abandoned.cancel();
    assert!(!process.drain().await);
}

#[tokio::test]
async fn a_process_whose_start_fails_does_not_run() {
    assert!(
        !live(process(Duration::from_secs(30)), async |_: &mut Process| {
            Err("no broker answers".into())
        })
        .await
    );
}
