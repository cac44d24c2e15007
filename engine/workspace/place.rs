//! Why a file that is to be saved cannot stand in its place.

use super::NotSaved;
use crate::library::Misplaced;

pub(super) use crate::library::Beside;

impl From<Misplaced> for NotSaved {
    fn from(why: Misplaced) -> Self {
        match why {
            Misplaced::Place(why) => Self::BadPlace(why),
            Misplaced::Disk(why) => Self::Unwritable(why.to_string()),
        }
    }
}
