//! The real program, killed from outside again and again, loses nothing and doubles nothing.
//!
//! In: one workspace, one pair of stand-ins, and 200 kills at chosen moments around the call that
//! must not happen twice. Out: what the stand-ins hold afterwards, against what they must hold.
//! Always true: the order of moments and loads follows from the seed; every moment is waited for,
//! never guessed. `RECIPES_KILLS` and `RECIPES_KILL_SEED` ask for other runs.

mod engine;
mod looped;
mod vendors;

use std::collections::BTreeMap;

use engine::Engine;
use serde_json::json;
use vendors::Vendors;

/// How often the program is killed.
const KILLS: u64 = 200;

/// How often it must have been killed at each moment, at least.
const KILLS_EACH_MIN: u64 = 20;

/// How much faster than the wall the clocks run, so that waits of seconds and minutes are short.
const TIME_SCALE: f64 = 60.0;

/// The recipes that take the load in: a shipped one, which looks before it issues, and one that
/// relies on the engine alone, at a vendor that refuses nothing.
const RECIPES: [&str; 2] = [
    "accredible/event-dispatcher-docebo-to-accredible",
    "kill/issue",
];

/// A moment in the life of a call that must not happen twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// The intent is durable, nothing was sent.
    IntentWritten,
    /// The vendor has the request, and we have no reply.
    RequestSent,
    /// The reply is here, nothing of it is durable.
    ReplyReceived,
    /// The outcome is durable.
    CommitDone,
}

const MOMENTS: [Moment; 4] = [
    Moment::IntentWritten,
    Moment::ReplyReceived,
    Moment::CommitDone,
    Moment::RequestSent,
];

impl Moment {
    /// The word that makes the program stop there; a request under way is seen at the vendor.
    fn halt(self) -> Option<&'static str> {
        match self {
            Self::IntentWritten => Some("intent_written"),
            Self::RequestSent => None,
            Self::ReplyReceived => Some("reply_received"),
            Self::CommitDone => Some("commit_done"),
        }
    }
}

/// Who completes what, and how the program ends meanwhile.
#[derive(Clone, Copy, Debug)]
struct Kill {
    moment: Moment,
    /// The learner completes both courses of a learning plan, which makes three credentials of two
    /// jobs that want one of them both; else a course that stands alone, which makes one. The unguarded recipe
    /// makes one more of each course.
    is_on_plan: bool,
    /// Which of the calls is struck, from 1.
    nth: u64,
    /// Whether the vendor does what was asked once the program is dead; else it never does it.
    is_slow: bool,
}

/// Numbers that look random and follow from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Rounds of four kills, one at each moment, the one at a request under way last: before it, what
/// the others left is brought to its end. A job is thus taken over four times at most, which is
/// less than what makes the engine think that the job itself is to blame.
fn plan(kills: u64, seed: u64) -> Vec<Kill> {
    let mut chance = Chance(seed);
    let mut plan = Vec::new();
    for _ in 0..kills.div_ceil(4) {
        let mut moments = MOMENTS;
        moments.swap(0, chance.below(3) as usize);
        moments.swap(1, 1 + chance.below(2) as usize);
        plan.extend(moments.map(|moment| {
            let is_on_plan = chance.below(2) == 0;
            Kill {
                moment,
                is_on_plan,
                nth: 1 + if is_on_plan { chance.below(3) } else { 0 },
                is_slow: chance.below(2) == 0,
            }
        }));
    }
    plan
}

#[test]
fn kills_at_every_moment_lose_nothing_and_double_nothing() {
    let kills = number("RECIPES_KILLS").unwrap_or(KILLS);
    let seed = number("RECIPES_KILL_SEED").unwrap_or(1);
    let mut vendors = Vendors::start();
    set_up(&vendors, &Engine::start(&vendors, None));
    let mut counts: BTreeMap<Moment, u64> = BTreeMap::new();
    for kill in plan(kills, seed) {
        die(&mut vendors, kill);
        *counts.entry(kill.moment).or_default() += 1;
    }
    for (moment, count) in &counts {
        println!("killed {count} times at {moment:?}");
    }
    let engine = Engine::start(&vendors, None);
    deliver_to(&vendors, &engine);
    vendors.flush();
    engine.until_idle(&vendors);
    let troubles = troubles(&vendors, &engine);
    assert!(
        troubles.is_empty(),
        "seed {seed}:\n{}\n{}",
        troubles.join("\n"),
        engine.log()
    );
    let wanted = KILLS_EACH_MIN * kills.min(KILLS) / KILLS;
    for moment in MOMENTS {
        let count = counts.get(&moment).copied().unwrap_or(0);
        assert!(count >= wanted, "killed only {count} times at {moment:?}");
    }
}

/// Starts the program, gives it work, and kills it at the moment that was chosen.
fn die(vendors: &mut Vendors, kill: Kill) {
    let halt = kill
        .moment
        .halt()
        .map(|point| format!("{point}:{}", kill.nth));
    let engine = Engine::start(vendors, halt.as_deref());
    deliver_to(vendors, &engine);
    match kill.moment.halt() {
        Some(point) => {
            vendors.complete(kill.is_on_plan);
            engine.until(&format!("halted at {point}"));
        }
        None => {
            engine.until_idle(vendors);
            // Nothing runs now, so nothing is asked between looking and ordering.
            let before = vendors.hold_back(kill.nth, kill.is_slow);
            vendors.complete(kill.is_on_plan);
            vendors.until_asked(before, kill.nth);
        }
    }
    engine.kill();
    vendors.release();
}

fn deliver_to(vendors: &Vendors, engine: &Engine) {
    for (number, recipe) in RECIPES.into_iter().enumerate() {
        vendors.deliver_to(number, &engine.webhook(recipe));
    }
}

/// Fills the tables and starts the recipes.
fn set_up(vendors: &Vendors, engine: &Engine) {
    let setting =
        |key: &str, value: &str| json!({ "integration": "ACCREDIBLE", "key": key, "value": value });
    let tables = [
        (
            "integration-settings",
            json!([
                setting("COURSE_ADDITIONAL_FIELD", "Accredible credential"),
                setting("LEARNING_PLAN_ADDITIONAL_FIELD", "Accredible credential"),
                setting("NOTIFICATION_MAIL_ID", "learning@academy.example"),
            ]),
        ),
        (
            "accredible-credential-groups",
            json!([
                { "group_id": 2001, "name": "data-protection-basics", "dropdown_element_id": 501 },
                { "group_id": 2002, "name": "secure-coding", "dropdown_element_id": 502 },
                { "group_id": 2003, "name": "security-champion", "dropdown_element_id": 504 },
                { "group_id": 2004, "name": "first-aid", "dropdown_element_id": 503 },
            ]),
        ),
        (
            "accredible-integration-mappings",
            json!([{ "credential_group_id": "2003", "learning_plan_id": "LP-SEC" }]),
        ),
    ];
    for (table, rows) in tables {
        let path = format!("/api/lookup-tables/{table}/rows");
        engine.put(vendors, &path, &json!({ "rows": rows }));
    }
    for recipe in RECIPES {
        engine.post(vendors, &format!("/api/recipes/{recipe}/start"));
    }
}

/// What is not as it must be.
fn troubles(vendors: &Vendors, engine: &Engine) -> Vec<String> {
    let mut troubles = Vec::new();
    let jobs = engine.jobs(vendors);
    let wanted = vendors.events() * RECIPES.len();
    if jobs.len() != wanted {
        troubles.push(format!("{} jobs where {wanted} must be", jobs.len()));
    }
    for job in jobs.iter().filter(|job| job["status"] != "succeeded") {
        troubles.push(format!("a job has not succeeded: {job}"));
    }
    let held = vendors.credentials();
    let wanted = vendors.wanted();
    for (holder, group) in &wanted {
        let count = held.get(&(holder.clone(), *group)).copied().unwrap_or(0);
        if count != 1 {
            troubles.push(format!(
                "{holder} holds {count} credentials of group {group}"
            ));
        }
    }
    let unwanted = held.keys().filter(|held| !wanted.contains(held));
    troubles.extend(unwanted.map(|(holder, group)| format!("{holder} holds one of group {group}")));
    troubles
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings room")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
