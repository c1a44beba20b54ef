//! The in-flight limits, with requests that begin, grow and end in any order.

use ess_fuzz::for_each_seed;
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;

use super::*;
use crate::config::tests::read;

fn admission(requests: usize, bytes: usize, items: usize) -> Admission {
    Admission::new(&LimitsConfig {
        in_flight_requests: requests,
        in_flight_bytes: bytes,
        in_flight_items: items,
        ..read(&[]).unwrap().limits
    })
}

#[test]
fn a_request_beyond_the_limit_is_rejected_until_another_has_ended() {
    let admission = admission(2, 1_024, 10);
    let first = admission.admit().unwrap();
    let _second = admission.admit().unwrap();
    assert_eq!(admission.admit().unwrap_err(), Overloaded);
    drop(first);
    assert!(admission.admit().is_ok());
}

#[test]
fn bytes_beyond_the_limit_are_rejected_until_others_are_released() {
    let admission = admission(10, 1_024, 10);
    let mut first = admission.admit().unwrap();
    let mut second = admission.admit().unwrap();
    assert_eq!(first.reserve_bytes(1_000), Ok(()));
    assert_eq!(second.reserve_bytes(25), Err(Overloaded));
    assert_eq!(second.reserve_bytes(24), Ok(()));
    drop(first);
    assert_eq!(second.reserve_bytes(1_000), Ok(()));
}

#[test]
fn items_beyond_the_limit_are_rejected_until_others_are_released() {
    let admission = admission(10, 1_024, 10_000);
    let mut first = admission.admit().unwrap();
    let mut second = admission.admit().unwrap();
    assert_eq!(first.reserve_items(9_000), Ok(()));
    assert_eq!(second.reserve_items(1_001), Err(Overloaded));
    assert_eq!(second.reserve_items(1_000), Ok(()));
    drop(first);
    assert_eq!(second.reserve_items(9_000), Ok(()));
}

#[test]
fn the_highest_configurable_limits_are_exact() {
    let admission = admission(1_000_000, 1 << 40, 100_000_000);
    let mut permits: Vec<_> = (0..5_000).map(|_| admission.admit().unwrap()).collect();
    // The largest body of a request, in 4,096 requests: 1 TiB.
    for permit in &mut permits[..4_096] {
        assert_eq!(permit.reserve_bytes(256 << 20), Ok(()));
    }
    assert_eq!(permits[4_096].reserve_bytes(1), Err(Overloaded));
    permits.truncate(4_095);
    assert_eq!(admission.bytes.available_permits(), 256 << 20);
}

const REQUESTS: usize = 4;
const BYTES: usize = 100;
const ITEMS: usize = 20;

#[test]
fn in_any_schedule_a_reservation_succeeds_exactly_if_it_fits() {
    for_each_seed(2_000, run);
}

fn run(random: &mut ChaCha12Rng) {
    let admission = admission(REQUESTS, BYTES, ITEMS);
    // Each request in flight, with the bytes and items that it has reserved.
    let mut requests: Vec<(InFlightPermit<'_>, usize, usize)> = Vec::new();
    for _ in 0..60 {
        let bytes: usize = requests.iter().map(|(_, bytes, _)| bytes).sum();
        let items: usize = requests.iter().map(|(_, _, items)| items).sum();
        let amount = random.random_range(0..=30);
        let step = random.random_range(0..4);
        let fits = match (step, requests.choose_mut(random)) {
            (0, _) => {
                let admitted = admission.admit();
                let fits = requests.len() < REQUESTS;
                assert_eq!(admitted.is_ok(), fits);
                requests.extend(admitted.map(|permit| (permit, 0, 0)));
                continue;
            }
            (_, None) => continue,
            (1, Some((permit, reserved, _))) => {
                let fits = bytes + amount <= BYTES;
                assert_eq!(permit.reserve_bytes(amount).is_ok(), fits);
                *reserved += if fits { amount } else { 0 };
                fits
            }
            (2, Some((permit, _, reserved))) => {
                let fits = items + amount <= ITEMS;
                assert_eq!(permit.reserve_items(amount).is_ok(), fits);
                *reserved += if fits { amount } else { 0 };
                fits
            }
            (_, Some(_)) => true,
        };
        // A request ends on its own, or because a reservation failed.
        if step == 3 || !fits {
            let ended = random.random_range(0..requests.len());
            drop(requests.swap_remove(ended));
        }
    }
    drop(requests);
    assert_eq!(admission.requests.available_permits(), REQUESTS);
    assert_eq!(admission.bytes.available_permits(), BYTES);
    assert_eq!(admission.items.available_permits(), ITEMS);
}
