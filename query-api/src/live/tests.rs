//! Streams over a source that the tests control. The clock is paused and advances only when all tasks are idle, so that no test
//! really waits.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use ess_service::problem::ProblemKind;
use futures::{StreamExt as _, future::join_all};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{config::LiveConfig, question::Country, read::view};

const INTERVAL: Duration = Duration::from_secs(2);
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Answers with the number of its queries, as if each came a second after the one before.
#[derive(Default)]
struct Counting {
    queries: AtomicUsize,
    is_down: AtomicBool,
    generation: AtomicUsize,
}

impl LiveSource for Arc<Counting> {
    async fn query(&self, _: &LiveQuestion) -> Result<LiveState, Problem> {
        let number = self.queries.fetch_add(1, Ordering::Relaxed) + 1;
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Problem::new(ProblemKind::ReadModelUnavailable, "down"));
        }
        let generation = self.generation.load(Ordering::Relaxed) as u32;
        Ok(LiveState {
            as_of: Timestamp::from_millis(number as i64 * 1_000).unwrap(),
            view: Arc::new(view(generation, &[(0, number as u64)])),
            body: format!("{generation}:{number}").into_bytes(),
        })
    }
}

struct Service {
    subscriptions: Subscriptions<Arc<Counting>>,
    source: Arc<Counting>,
    stopping: CancellationToken,
}

impl Service {
    fn new(listeners: usize, questions: usize) -> Self {
        let (source, stopping) = (Arc::<Counting>::default(), CancellationToken::new());
        let config = LiveConfig {
            interval: INTERVAL,
            heartbeat: HEARTBEAT,
            listeners,
            questions,
        };
        Self {
            subscriptions: Subscriptions::new(Arc::clone(&source), config, stopping.clone()),
            source,
            stopping,
        }
    }

    fn queries(&self) -> usize {
        self.source.queries.load(Ordering::Relaxed)
    }

    fn subscribe(&self, begin: StreamStart) -> Client {
        self.subscribe_to("de", begin).unwrap()
    }

    fn subscribe_to(&self, country: &str, begin: StreamStart) -> Result<Client, Problem> {
        let question = LiveQuestion {
            track_id: None,
            country: Country::read(country).ok(),
            limit: 10,
        };
        self.subscriptions.subscribe(&question, begin).map(Client)
    }
}

/// A subscriber.
struct Client(EventStream);

impl Client {
    /// The next chunk of the stream; empty at its end.
    async fn read(&mut self) -> String {
        let bytes = self.0.next().await.map(Result::unwrap);
        String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap()
    }

    /// The data of the next event.
    async fn data(&mut self) -> String {
        loop {
            let read = self.read().await;
            assert!(!read.is_empty(), "the stream ended");
            if let Some(data) = read.lines().find_map(|line| line.strip_prefix("data: ")) {
                return data.to_owned();
            }
        }
    }
}

fn after(last: i64) -> StreamStart {
    StreamStart {
        last: format!("1-{:x}", last * 1_000).parse().ok(),
        after: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn many_subscribers_of_one_question_cost_one_query_an_interval() {
    let service = Service::new(1_000, 1);
    let mut clients: Vec<_> = (0..1_000)
        .map(|_| service.subscribe(StreamStart::default()))
        .collect();
    for expected in 1..=5 {
        let all = join_all(clients.iter_mut().map(Client::data)).await;
        let expected_data = format!("0:{expected}");
        assert!(all.iter().all(|data| *data == expected_data), "{expected}");
    }
    assert_eq!(service.queries(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_with_the_retry_interval_and_the_newest_event() {
    let service = Service::new(2, 1);
    let mut first = service.subscribe(StreamStart::default());
    assert_eq!(first.read().await, "retry: 2000\n\n");
    assert_eq!(first.read().await, "id: 1-3e8\nevent: live\ndata: 0:1\n\n");
    let mut second = service.subscribe(StreamStart::default());
    assert_eq!(second.data().await, "0:1");
    assert_eq!(service.queries(), 1, "the second subscriber costs no query");
}

#[tokio::test(start_paused = true)]
async fn without_subscribers_there_are_no_queries() {
    let service = Service::new(2, 1);
    let mut client = service.subscribe(StreamStart::default());
    client.data().await;
    drop(client);
    sleep(INTERVAL * 20).await;
    assert_eq!(service.queries(), 1);
    let mut client = service.subscribe(StreamStart::default());
    assert_eq!(
        client.data().await,
        "0:2",
        "an old event is not sent as the newest"
    );
    drop(client);
    sleep(Duration::from_mins(5)).await;
    assert_eq!(
        service.subscribe(StreamStart::default()).data().await,
        "0:3"
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_does_not_read_misses_events_and_delays_no_other() {
    let service = Service::new(2, 1);
    let mut slow = service.subscribe(StreamStart::default());
    let mut quick = service.subscribe(StreamStart::default());
    for expected in 1..=100 {
        assert_eq!(quick.data().await, format!("0:{expected}"));
    }
    assert_eq!(slow.read().await, "retry: 2000\n\n");
    assert_eq!(slow.data().await, "0:100");
    assert_eq!(slow.data().await, "0:101");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reconnects_gets_the_retained_events_that_it_missed() {
    let service = Service::new(3, 1);
    let mut stays = service.subscribe(StreamStart::default());
    for _ in 0..40 {
        stays.data().await;
    }
    let mut back = service.subscribe(after(37));
    for expected in ["0:38", "0:39", "0:40", "0:41"] {
        assert_eq!(back.data().await, expected);
    }
    drop(back);
    let mut late = service.subscribe(after(2));
    assert_eq!(late.data().await, "0:12", "of 41 the last 30 are retained");
    drop(late);
    let mut ahead = service.subscribe(after(1_000));
    assert_eq!(
        ahead.data().await,
        "0:41",
        "an id from the future does not make it wait"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reconnects_gets_no_event_twice() {
    let service = Service::new(1, 1);
    let mut client = service.subscribe(StreamStart::default());
    assert_eq!(client.data().await, "0:1");
    drop(client);
    let mut back = service.subscribe(after(1));
    assert_eq!(back.data().await, "0:2");
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_the_stream_alive_while_the_source_is_down() {
    let service = Service::new(1, 1);
    service.source.is_down.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    let mut client = service.subscribe(StreamStart::default());
    assert_eq!(client.read().await, "retry: 2000\n\n");
    for beat in 1..=3 {
        assert_eq!(client.read().await, ":\n\n");
        assert_eq!(begun.elapsed().as_secs(), beat * HEARTBEAT.as_secs());
    }
    service.source.is_down.store(false, Ordering::Relaxed);
    assert!(client.read().await.contains("event: live"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_continues_with_a_promoted_generation() {
    let service = Service::new(1, 1);
    let mut client = service.subscribe(StreamStart::default());
    assert_eq!(client.data().await, "0:1");
    service.source.generation.store(7, Ordering::Relaxed);
    assert_eq!(client.data().await, "7:2");
}

#[tokio::test(start_paused = true)]
async fn no_event_lacks_the_positions_of_the_caller() {
    let service = Service::new(2, 1);
    let mut other = service.subscribe(StreamStart::default());
    other.data().await;
    let mut writer = service.subscribe(StreamStart {
        last: None,
        after: vec!["0:3".parse().unwrap()],
    });
    assert_eq!(
        writer.data().await,
        "0:4",
        "the first that includes offset 3"
    );
}

#[tokio::test(start_paused = true)]
async fn past_the_limits_a_subscription_is_503_with_retry_after() {
    let service = Service::new(2, 1);
    let mut first = service.subscribe(StreamStart::default());
    first.data().await;
    let refused = service
        .subscribe_to("fr", StreamStart::default())
        .err()
        .unwrap();
    assert_eq!((refused.status, refused.retry_after), (503, Some(5)));
    let second = service.subscribe(StreamStart::default());
    let refused = service
        .subscribe_to("de", StreamStart::default())
        .err()
        .unwrap();
    assert_eq!(refused.status, 503);
    drop((first, second));
    // The question without subscribers is evicted, and its task has ended.
    let mut other = service.subscribe_to("fr", StreamStart::default()).unwrap();
    other.data().await;
    let tasks = tokio::runtime::Handle::current().metrics();
    assert_eq!(tasks.num_alive_tasks(), 1, "one task a question");
}

#[tokio::test(start_paused = true)]
async fn streams_end_when_the_service_stops() {
    let service = Service::new(1, 1);
    let mut client = service.subscribe(StreamStart::default());
    client.data().await;
    service.stopping.cancel();
    assert_eq!(client.read().await, "");
}
