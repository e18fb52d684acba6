//! What a person can ask of the workbench. Must not know keys: see `keymap`.

/// The keymap, the footer, the help and the palette all speak of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Show(Screen),
    NextPane,
    PreviousPane,
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    StepUp,
    StepDown,
    LeapUp,
    LeapDown,
    Edit,
    HopEarlier,
    HopLater,
    Undo,
    Reset,
    Pause,
    Baseline,
    Freeze,
    Zoom,
    /// Strikes a simulated route with a fault.
    Break,
    /// Back to the chosen epoch's settings.
    GoBack,
    /// The tuned profile, as a file.
    Write,
    /// The report and the screen, as files.
    Export,
    Palette,
    Help,
    Close,
    Suspend,
    Quit,
    /// Ctrl-C: without a question.
    QuitNow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    Live,
    Compare,
    Cost,
    Log,
    Epochs,
}

impl Screen {
    pub const ALL: [Self; 5] = [Self::Live, Self::Compare, Self::Cost, Self::Log, Self::Epochs];

    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Compare => "Compare",
            Self::Cost => "Cost",
            Self::Log => "Log",
            Self::Epochs => "Epochs",
        }
    }

    /// Why it cannot be shown; `None` for those that can.
    pub fn unavailable(self) -> Option<&'static str> {
        match self {
            Self::Compare => Some("Compare is not in this version; `gatebench sweep` compares settings headless"),
            Self::Cost => Some("Cost is not in this version; the Cost panel on Live has today's figures"),
            Self::Live | Self::Log | Self::Epochs => None,
        }
    }
}

/// A panel of the Live screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    Settings,
    Latency,
    Percentiles,
    Heatmap,
    ServedBy,
    Traffic,
    Cost,
    Events,
}

impl Pane {
    pub const ALL: [Self; 8] = [
        Self::Settings,
        Self::Latency,
        Self::Percentiles,
        Self::Heatmap,
        Self::ServedBy,
        Self::Traffic,
        Self::Cost,
        Self::Events,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "Settings",
            Self::Latency => "Latency",
            Self::Percentiles => "Percentiles",
            Self::Heatmap => "Heatmap",
            Self::ServedBy => "Served by",
            Self::Traffic => "Traffic",
            Self::Cost => "Cost",
            Self::Events => "Events",
        }
    }

    /// The one `by` places on, round the list.
    pub fn beside(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0) as isize;
        Self::ALL[(at + by).rem_euclid(Self::ALL.len() as isize) as usize]
    }
}
