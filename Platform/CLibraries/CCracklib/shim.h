#pragma once
#include <stdio.h>
#include <crack.h>
