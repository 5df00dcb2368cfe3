import ArgumentParser
import MatchingReplays

MatchingReplay.main()
