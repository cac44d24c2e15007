//! What is done when, as it follows from a seed.
//!
//! In: a seed. Out: the engine's lives, each with its faults and its end; events as they follow from
//! their numbers.
//! Always true: the same seed gives the same plan; when things really happen also depends on the
//! machine.

use std::time::Duration;

use serde_json::json;

use crate::data::Value;

/// No request that the vendor got is at work for longer than this, in milliseconds.
pub(super) const SLOW_MS: u64 = 450;

/// Numbers that look random and follow from a seed (splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

/// One life of the engine, from its start to its kill.
#[derive(Clone, Debug)]
pub(super) struct Life {
    /// How long it works, in real time.
    pub(super) lasts: Duration,
    /// What happens to the clocks before it starts.
    pub(super) clock: Jump,
    /// Whether its files cannot grow.
    pub(super) has_full_disk: bool,
    /// The vendor's faults while it works.
    pub(super) faults: Vec<Value>,
}

/// What happens to the clocks between two lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jump {
    /// Nothing.
    None,
    /// The whole world goes on without the engine.
    Ahead(Duration),
    /// The engine's clock is set back.
    Back(Duration),
}

/// What an event asks for.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// Its id.
    pub(super) id: String,
    pub(super) has_mail: bool,
    pub(super) is_alone: bool,
    pub(super) is_gamble: bool,
    drawer: u64,
}

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 on, below this one.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// Whether something happens that happens once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

impl Life {
    /// The next life.
    pub(super) fn next(chance: &mut Chance) -> Self {
        let millis = 300 + chance.below(1_500);
        let clock = match chance.below(12) {
            0 => Jump::Ahead(Duration::from_secs(60 + chance.below(7_200))),
            1 => Jump::Back(Duration::from_secs(1 + chance.below(10))),
            _ => Jump::None,
        };
        let has_full_disk = chance.once_in(15);
        let count = chance.below(5);
        Self {
            lasts: Duration::from_millis(millis),
            clock,
            has_full_disk,
            faults: (0..count).map(|_| fault(chance)).collect(),
        }
    }
}

/// A fault as the vendor's stand-in takes it.
fn fault(chance: &mut Chance) -> Value {
    let html = json!({ "content-type": "text/html" });
    let kind = match chance.below(12) {
        0 | 1 => json!("reset_before"),
        2 | 3 => json!("reset_after"),
        4 => json!({ "status": { "code": 429, "headers": { "Retry-After": "5" } } }),
        5 => json!({ "status": { "code": 503, "body": { "message": "overloaded" } } }),
        6 => json!({ "answer_after": { "code": 502, "headers": html, "body": "<html>" } }),
        7 => json!({ "answer_after": { "code": 200, "headers": html, "body": "<html>" } }),
        8 => json!("truncated"),
        9 => json!({ "slow": { "ms": 50 + chance.below(SLOW_MS - 50) } }),
        10 => json!({ "late": { "ms": 50 + chance.below(SLOW_MS - 50) } }),
        _ => json!("hang_after"),
    };
    let path = ["/sink", "/sink", "/alone", "/pages", "/sink/*"][chance.below(5) as usize];
    json!({ "path": path, "nth": 1 + chance.below(5), "count": 1 + chance.below(3), "kind": kind })
}

impl Event {
    /// The event of this number.
    pub(super) fn of(seed: u64, number: u64) -> Self {
        let mut chance = Chance::new(seed ^ number.wrapping_mul(0x5851_F42D_4C95_7F2D));
        Self {
            id: format!("event-{number}"),
            has_mail: chance.once_in(5),
            is_alone: chance.once_in(20),
            is_gamble: chance.once_in(10),
            drawer: chance.below(7),
        }
    }

    /// As it is sent.
    pub(super) fn body(&self) -> Value {
        json!({
            "id": self.id,
            "has_mail": self.has_mail,
            "is_alone": self.is_alone,
            "is_gamble": self.is_gamble,
            "drawer": format!("drawer-{}", self.drawer),
        })
    }
}
