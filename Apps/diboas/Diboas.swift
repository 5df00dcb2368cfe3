import ArgumentParser
import Composition

@main
struct Diboas {
    static func main() async { await RootCommand.start() }
}
