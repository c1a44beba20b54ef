//! The life of a process: what stops it, and how it drains.

use std::{convert::Infallible, future::pending};

use super::*;

fn process(deadline: Duration) -> Process {
    Process::new(telemetry::unrecorded(), deadline)
}

async fn until(stopping: CancellationToken) -> Result<(), Infallible> {
    stopping.cancelled().await;
    Ok(())
}

#[tokio::test]
async fn a_process_told_to_stop_drains_every_task() {
    let mut process = process(Duration::from_secs(30));
    let stopping = process.stopping();
    process.spawn("fold", until(stopping.clone()));
    stopping.cancel();
    assert!(process.run().await);
    assert!(process.drain().await);
}

#[tokio::test]
async fn a_task_that_ends_unasked_stops_the_others() {
    let mut process = process(Duration::from_secs(30));
    let stopping = process.stopping();
    process.spawn("fold", until(stopping));
    process.spawn("http", async { Ok::<(), Infallible>(()) });
    assert!(!process.run().await);
    assert!(process.drain().await, "the other task was told to stop");
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
async fn a_drain_ends_at_its_deadline_and_does_not_call_it_well() {
    let mut process = process(Duration::from_millis(1));
    process.spawn("stuck", pending::<Result<(), Infallible>>());
    assert!(!process.drain().await);
}

#[tokio::test]
async fn a_drain_can_be_abandoned_and_is_then_not_called_well() {
    let mut process = process(Duration::from_hours(1));
    process.spawn("stuck", pending::<Result<(), Infallible>>());
    process.abandoned.cancel();
    assert!(!process.drain().await);
}

#[tokio::test]
async fn a_start_that_fails_is_not_run() {
    assert!(
        !live(process(Duration::from_secs(30)), async |_: &mut Process| {
            Err("no broker answers".into())
        })
        .await
    );
}
