import Hummingbird
import JWTKit
print("hello")
