"""Prints the Python 3.11 of the project, when this machine has one beside the newer Python it tests with."""

from infra import environment

if __name__ == "__main__":
    if environment.project().interpreter.minor != environment.OLDEST:
        if environment.find_interpreter(environment.OLDEST):
            print(environment.project(environment.OLDEST).python)
        else:
            environment.say(f"no Python {environment.OLDEST} here: the tests run on the newer one only")
