//! Streams as those who listen meet them, over a source that answers as it is told. Time stands still until nobody has anything
//! to do, so nothing here waits.

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

/// Answers with how often it was asked; its events are asked at that many seconds.
#[derive(Default)]
struct Counting {
    asked: AtomicUsize,
    is_away: AtomicBool,
    generation: AtomicUsize,
}

impl Source for Arc<Counting> {
    async fn look(&self, _: &LiveQuestion) -> Result<Look, Problem> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Problem::new(ProblemKind::ReadModelUnavailable, "away"));
        }
        let generation = self.generation.load(Ordering::Relaxed) as u32;
        Ok(Look {
            as_of: Timestamp::from_millis(asked as i64 * 1_000).unwrap(),
            view: Arc::new(view(generation, &[(0, asked as u64)])),
            body: format!("{generation}:{asked}").into_bytes(),
        })
    }
}

struct Service {
    hub: Hub<Arc<Counting>>,
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
            hub: Hub::new(Arc::clone(&source), config, stopping.clone()),
            source,
            stopping,
        }
    }

    fn asked(&self) -> usize {
        self.source.asked.load(Ordering::Relaxed)
    }

    fn listen(&self, begin: Begin) -> Client {
        self.listen_to("de", begin).unwrap()
    }

    fn listen_to(&self, country: &str, begin: Begin) -> Result<Client, Problem> {
        let question = LiveQuestion {
            track_id: None,
            country: Country::read(country).ok(),
            limit: 10,
        };
        self.hub.listen(&question, begin).map(Client)
    }
}

/// One who listens.
struct Client(Listening);

impl Client {
    /// The next piece of the stream; empty at its end.
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

fn after(last: i64) -> Begin {
    Begin {
        last: format!("1-{:x}", last * 1_000).parse().ok(),
        after: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn many_who_listen_to_one_question_cost_one_query_an_interval() {
    let service = Service::new(1_000, 1);
    let mut clients: Vec<_> = (0..1_000)
        .map(|_| service.listen(Begin::default()))
        .collect();
    for expected in 1..=5 {
        let told = join_all(clients.iter_mut().map(Client::data)).await;
        let expected_data = format!("0:{expected}");
        assert!(told.iter().all(|data| *data == expected_data), "{expected}");
    }
    assert_eq!(service.asked(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_with_when_to_come_back_and_the_newest_state() {
    let service = Service::new(2, 1);
    let mut first = service.listen(Begin::default());
    assert_eq!(first.read().await, "retry: 2000\n\n");
    assert_eq!(first.read().await, "id: 1-3e8\nevent: live\ndata: 0:1\n\n");
    let mut second = service.listen(Begin::default());
    assert_eq!(second.data().await, "0:1");
    assert_eq!(service.asked(), 1, "nobody asked again for the second");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_while_nobody_listens() {
    let service = Service::new(2, 1);
    let mut client = service.listen(Begin::default());
    client.data().await;
    drop(client);
    sleep(INTERVAL * 20).await;
    assert_eq!(service.asked(), 1);
    let mut client = service.listen(Begin::default());
    assert_eq!(
        client.data().await,
        "0:2",
        "what was told long ago is not the newest"
    );
    drop(client);
    sleep(Duration::from_mins(5)).await;
    assert_eq!(service.listen(Begin::default()).data().await, "0:3");
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_read_misses_what_it_did_not_read_and_keeps_nobody_waiting() {
    let service = Service::new(2, 1);
    let mut slow = service.listen(Begin::default());
    let mut quick = service.listen(Begin::default());
    for expected in 1..=100 {
        assert_eq!(quick.data().await, format!("0:{expected}"));
    }
    assert_eq!(slow.read().await, "retry: 2000\n\n");
    assert_eq!(slow.data().await, "0:100");
    assert_eq!(slow.data().await, "0:101");
}

#[tokio::test(start_paused = true)]
async fn one_that_comes_back_is_told_what_it_missed_as_far_as_it_is_kept() {
    let service = Service::new(3, 1);
    let mut stays = service.listen(Begin::default());
    for _ in 0..40 {
        stays.data().await;
    }
    let mut back = service.listen(after(37));
    for expected in ["0:38", "0:39", "0:40", "0:41"] {
        assert_eq!(back.data().await, expected);
    }
    drop(back);
    let mut late = service.listen(after(2));
    assert_eq!(late.data().await, "0:12", "of 41 the last 30 are kept");
    drop(late);
    let mut ahead = service.listen(after(1_000));
    assert_eq!(
        ahead.data().await,
        "0:41",
        "an id of the future is no reason to wait"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_told_already_is_not_told_again_to_one_that_comes_back() {
    let service = Service::new(1, 1);
    let mut client = service.listen(Begin::default());
    assert_eq!(client.data().await, "0:1");
    drop(client);
    let mut back = service.listen(after(1));
    assert_eq!(back.data().await, "0:2");
}

#[tokio::test(start_paused = true)]
async fn while_nothing_can_be_told_heartbeats_show_that_the_stream_is_alive() {
    let service = Service::new(1, 1);
    service.source.is_away.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    let mut client = service.listen(Begin::default());
    assert_eq!(client.read().await, "retry: 2000\n\n");
    for beat in 1..=3 {
        assert_eq!(client.read().await, ":\n\n");
        assert_eq!(begun.elapsed().as_secs(), beat * HEARTBEAT.as_secs());
    }
    service.source.is_away.store(false, Ordering::Relaxed);
    assert!(client.read().await.contains("event: live"));
}

#[tokio::test(start_paused = true)]
async fn a_promoted_generation_goes_on_in_the_same_stream() {
    let service = Service::new(1, 1);
    let mut client = service.listen(Begin::default());
    assert_eq!(client.data().await, "0:1");
    service.source.generation.store(7, Ordering::Relaxed);
    assert_eq!(client.data().await, "7:2");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_that_lacks_what_the_caller_wrote() {
    let service = Service::new(2, 1);
    let mut other = service.listen(Begin::default());
    other.data().await;
    let mut writer = service.listen(Begin {
        last: None,
        after: vec!["0:3".parse().unwrap()],
    });
    assert_eq!(writer.data().await, "0:4", "the first that holds offset 3");
}

#[tokio::test(start_paused = true)]
async fn past_the_bounds_one_is_told_to_come_back_later() {
    let service = Service::new(2, 1);
    let mut first = service.listen(Begin::default());
    first.data().await;
    let refused = service.listen_to("fr", Begin::default()).err().unwrap();
    assert_eq!((refused.status, refused.retry_after), (503, Some(5)));
    let second = service.listen(Begin::default());
    let refused = service.listen_to("de", Begin::default()).err().unwrap();
    assert_eq!(refused.status, 503);
    drop((first, second));
    // The question nobody listens to any more makes room, and its task is gone.
    let mut other = service.listen_to("fr", Begin::default()).unwrap();
    other.data().await;
    let tasks = tokio::runtime::Handle::current().metrics();
    assert_eq!(tasks.num_alive_tasks(), 1, "one a question");
}

#[tokio::test(start_paused = true)]
async fn streams_end_when_the_service_stops() {
    let service = Service::new(1, 1);
    let mut client = service.listen(Begin::default());
    client.data().await;
    service.stopping.cancel();
    assert_eq!(client.read().await, "");
}
